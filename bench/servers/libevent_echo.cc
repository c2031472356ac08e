// An echo server with libevent's bufferevents: what came in is moved to what
// goes out, without a copy. Above the mark nothing is read until all is out.
// With --cert and --key, by its bufferevents for OpenSSL.
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

void finish(bufferevent* connection) {
  SSL* ssl = bufferevent_openssl_get_ssl(connection);
  if (ssl) SSL_shutdown(ssl);
  bufferevent_free(connection);
}

// Everything is out.
void on_written(bufferevent* connection, void* ended) {
  if (ended)
    finish(connection);
  else
    bufferevent_enable(connection, EV_READ);
}

void on_event(bufferevent* connection, short what, void*) {
  if (what & BEV_EVENT_CONNECTED) return;
  evbuffer* out = bufferevent_get_output(connection);
  bool more = evbuffer_get_length(out) > 0;
  if ((what & BEV_EVENT_EOF) && !(what & BEV_EVENT_WRITING) && more)
    bufferevent_setcb(connection, nullptr, on_written, on_event, connection);
  else
    finish(connection);
}

void on_connection(evconnlistener* listener, evutil_socket_t fd, sockaddr*, int,
                   void* context) {
  event_base* base = evconnlistener_get_base(listener);
  bufferevent* connection =
      !context ? bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE)
               : bufferevent_openssl_socket_new(
                     base, fd, SSL_new(static_cast<SSL_CTX*>(context)),
                     BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_set_max_single_read(connection, options::kReadBuffer);
  bufferevent_set_max_single_write(connection, options::kReadBuffer);
  bufferevent_setcb(connection, on_read, on_written, on_event, nullptr);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

}  // namespace

int main(int argc, char** argv) {
  options::Options wanted = options::parse(argc, argv);
  SSL_CTX* context =
      wanted.cert.empty() ? nullptr : tls_options::context(wanted);
  // libevent does not look for what OpenSSL has read ahead, behind the
  // handshake: it would wait for the client, who waits for it.
  if (context) SSL_CTX_set_read_ahead(context, 0);
  int fd = options::listen_on(wanted);
  // libevent 2.1 reads 4 KiB at once, so it answers a message in pieces, and
  // must not wait for the peer between them. Connections inherit this.
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  evconnlistener* listener = evconnlistener_new(base, on_connection, context,
                                                LEV_OPT_CLOSE_ON_EXEC, 0, fd);
  if (!listener) return 1;
  return event_base_dispatch(base);
}
