// What the clients of this chapter have in common; finished.
#pragma once

#include <memory>
#include <stdexcept>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/secure.h"
#include "chapters/14_tls_socket/tls_socket.h"

namespace net {

inline std::shared_ptr<Socket> connect_to(EventLoop& loop,
                                          const Options& options) {
  if (options.request_cert)
    throw std::invalid_argument("--request-cert is for servers");
  tls::ConnectOptions where;
  where.port = options.port;
  where.host = options.host;
  where.path = options.path;
  if (!options.tls) return net::connect(loop, where);
  add_tls(options, where);
  return tls::connect(loop, where);
}

}  // namespace net
