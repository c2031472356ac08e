// An echo server with libevent's bufferevents: what came in is moved to what
// goes out, without a copy. Above the mark nothing is read until all is out.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstddef>

#include "bench/servers/options.h"

namespace {

constexpr std::size_t kHighWaterMark = 16384;

void on_read(bufferevent* connection, void*) {
  evbuffer* out = bufferevent_get_output(connection);
  evbuffer_add_buffer(out, bufferevent_get_input(connection));
  if (evbuffer_get_length(out) >= kHighWaterMark)
    bufferevent_disable(connection, EV_READ);
}

// Everything is out.
void on_written(bufferevent* connection, void* ended) {
  if (ended)
    bufferevent_free(connection);
  else
    bufferevent_enable(connection, EV_READ);
}

void on_event(bufferevent* connection, short what, void*) {
  evbuffer* out = bufferevent_get_output(connection);
  bool more = evbuffer_get_length(out) > 0;
  if ((what & BEV_EVENT_EOF) && !(what & BEV_EVENT_WRITING) && more)
    bufferevent_setcb(connection, nullptr, on_written, on_event, connection);
  else
    bufferevent_free(connection);
}

void on_connection(evconnlistener* listener, evutil_socket_t fd, sockaddr*, int,
                   void*) {
  bufferevent* connection = bufferevent_socket_new(
      evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_set_max_single_read(connection, options::kReadBuffer);
  bufferevent_set_max_single_write(connection, options::kReadBuffer);
  bufferevent_setcb(connection, on_read, on_written, on_event, nullptr);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

}  // namespace

int main(int argc, char** argv) {
  int fd = options::listen_on(options::parse(argc, argv));
  // libevent 2.1 reads 4 KiB at once, so it answers a message in pieces, and
  // must not wait for the peer between them. Connections inherit this.
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  evconnlistener* listener = evconnlistener_new(base, on_connection, nullptr,
                                                LEV_OPT_CLOSE_ON_EXEC, 0, fd);
  if (!listener) return 1;
  return event_base_dispatch(base);
}
