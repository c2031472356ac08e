// What the servers of this chapter have in common; finished. The first line is
// `listening PORT`, or `listening PATH`; SIGTERM or SIGINT ends them.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/secure.h"
#include "chapters/12_services/services.h"
#include "chapters/15_tls_server/tls_server.h"

namespace net {

// Blocked, also for threads that come later: only the descriptor sees them.
inline Fd signals_as_descriptor() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return Fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

// serve() over TLS: the same service, and another server.
inline std::shared_ptr<Server> serve_tls(EventLoop& loop,
                                         const Options& options,
                                         ListenOptions where, Service service) {
  if (options.cert.empty() || options.key.empty())
    throw std::invalid_argument("--tls needs --cert and --key");
  tls::ServerOptions secure;
  secure.allow_half_open = true;
  secure.no_delay = true;  // or a reply waits for the ACK of session tickets
  secure.request_cert = options.request_cert;
  add_tls(options, secure);
  auto server = tls::create_server(loop, secure, std::move(service));
  server->on_tls_client_error(
      [](const Error& error, auto) { std::cerr << error.message << "\n"; });
  server->listen(std::move(where));
  return server;
}

// The exit status.
inline int run_server(EventLoop& loop, const Options& options,
                      Service service) {
  int status = 0;
  Fd signals = signals_as_descriptor();
  ListenOptions where{.port = options.port, .host = options.host};
  where.path = options.path;
  auto server = options.tls ? serve_tls(loop, options, where, service)
                            : serve(loop, where, service);
  server->on_error([&](const Error& error) {
    std::cerr << error.message << "\n";
    status = 1;
    loop.stop();
  });
  server->on_listening([&server = *server] {
    SocketAddress here = *server.address();
    std::cout << "listening "
              << (here.port ? std::to_string(here.port) : here.address)
              << std::endl;
  });
  loop.watch(signals.get(), POLLIN, [&](short) {
    server->close();  // removes its socket file
    loop.stop();
  });
  loop.run();
  return status;
}

}  // namespace net
