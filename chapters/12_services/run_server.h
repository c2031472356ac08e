// What the servers of this chapter have in common; finished. The first line is
// `listening PORT`, or `listening PATH`; SIGTERM or SIGINT ends them.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <iostream>
#include <memory>
#include <string>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/services.h"

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

// The exit status.
inline int run_server(EventLoop& loop, const Options& options,
                      Service service) {
  int status = 0;
  Fd signals = signals_as_descriptor();
  ListenOptions where;
  where.port = options.port;
  where.host = options.host;
  where.path = options.path;
  auto server = serve(loop, where, std::move(service));
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
