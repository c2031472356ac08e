// libevent_echo over TLS, with libevent's own OpenSSL bufferevents.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstddef>

#include "bench/servers/options.h"
#include "bench/servers/tls.h"

namespace {

constexpr std::size_t kHighWaterMark = 16384;

void on_read(bufferevent* connection, void*) {
  evbuffer* out = bufferevent_get_output(connection);
  evbuffer_add_buffer(out, bufferevent_get_input(connection));
  if (evbuffer_get_length(out) >= kHighWaterMark)
    bufferevent_disable(connection, EV_READ);
}

void on_written(bufferevent* connection, void*) {
  bufferevent_enable(connection, EV_READ);
}

void on_event(bufferevent* connection, short what, void*) {
  if (what & BEV_EVENT_CONNECTED) return;
  SSL_shutdown(bufferevent_openssl_get_ssl(connection));
  bufferevent_free(connection);
}

void on_connection(evconnlistener* listener, evutil_socket_t fd, sockaddr*, int,
                   void* context) {
  bufferevent* connection = bufferevent_openssl_socket_new(
      evconnlistener_get_base(listener), fd,
      SSL_new(static_cast<SSL_CTX*>(context)), BUFFEREVENT_SSL_ACCEPTING,
      BEV_OPT_CLOSE_ON_FREE);
  bufferevent_set_max_single_read(connection, options::kReadBuffer);
  bufferevent_set_max_single_write(connection, options::kReadBuffer);
  bufferevent_setcb(connection, on_read, on_written, on_event, nullptr);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

}  // namespace

int main(int argc, char** argv) {
  options::Options wanted = options::parse(argc, argv);
  SSL_CTX* context = tls_options::context(wanted);
  int fd = options::listen_on(wanted);
  int on = 1;  // see libevent_echo.cc
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  evconnlistener* listener = evconnlistener_new(base, on_connection, context,
                                                LEV_OPT_CLOSE_ON_EXEC, 0, fd);
  if (!listener) return 1;
  return event_base_dispatch(base);
}
