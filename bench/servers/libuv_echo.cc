// An echo server with libuv: writes at once with uv_try_write(), and makes a
// request only for what is left over. While there is one, nothing is read.
#include <sys/socket.h>
#include <uv.h>

#include <cstddef>
#include <cstring>
#include <memory>

#include "bench/servers/options.h"

namespace {

struct Connection {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
};

struct Write {
  uv_write_t request;
  std::unique_ptr<char[]> bytes;
};

char buffer[options::kReadBuffer];
bool at_path = false;

void close(uv_stream_t* stream) {
  auto* handle = reinterpret_cast<uv_handle_t*>(stream);
  if (uv_is_closing(handle)) return;
  uv_close(handle, [](uv_handle_t* closed) {
    delete static_cast<Connection*>(closed->data);
  });
}

void on_alloc(uv_handle_t*, std::size_t, uv_buf_t* into) {
  *into = uv_buf_init(buffer, sizeof buffer);
}

void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t*);

void write_rest(uv_stream_t* stream, const char* bytes, std::size_t n) {
  auto* write = new Write{{}, std::make_unique_for_overwrite<char[]>(n)};
  std::memcpy(write->bytes.get(), bytes, n);
  write->request.data = write;
  uv_read_stop(stream);
  uv_buf_t rest = uv_buf_init(write->bytes.get(), static_cast<unsigned int>(n));
  uv_write(&write->request, stream, &rest, 1,
           [](uv_write_t* request, int status) {
             uv_stream_t* stream = request->handle;
             delete static_cast<Write*>(request->data);
             if (status < 0) return close(stream);
             uv_read_start(stream, on_alloc, on_read);
           });
}

void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t*) {
  if (n < 0) return close(stream);
  if (n == 0) return;
  uv_buf_t bytes = uv_buf_init(buffer, static_cast<unsigned int>(n));
  int sent = uv_try_write(stream, &bytes, 1);
  if (sent == n) return;
  if (sent < 0 && sent != UV_EAGAIN) return close(stream);
  if (sent < 0) sent = 0;
  write_rest(stream, buffer + sent, static_cast<std::size_t>(n - sent));
}

void make(uv_loop_t* loop, Connection* connection) {
  if (at_path)
    uv_pipe_init(loop, &connection->pipe, 0);
  else
    uv_tcp_init(loop, &connection->tcp);
  connection->handle.data = connection;
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* connection = new Connection;
  make(listener->loop, connection);
  if (uv_accept(listener, &connection->stream) == 0)
    uv_read_start(&connection->stream, on_alloc, on_read);
  else
    close(&connection->stream);
}

}  // namespace

int main(int argc, char** argv) {
  options::Options wanted = options::parse(argc, argv);
  at_path = !wanted.path.empty();
  int fd = options::listen_on(wanted);
  uv_loop_t* loop = uv_default_loop();
  Connection listener;
  make(loop, &listener);
  if (at_path)
    uv_pipe_open(&listener.pipe, fd);
  else
    uv_tcp_open(&listener.tcp, fd);
  if (uv_listen(&listener.stream, 511, on_connection) != 0) return 1;
  return uv_run(loop, UV_RUN_DEFAULT);
}
