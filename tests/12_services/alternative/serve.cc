// Asks with a socket of its own, and moves the dead file aside first.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/05_unix_sockets/fd.h"
#include "chapters/12_services/services.h"

namespace net {
namespace {

bool nobody_listens(const std::string& path) {
  struct stat file;
  if (::lstat(path.c_str(), &file) < 0 || !S_ISSOCK(file.st_mode)) return false;
  Endpoint there = Endpoint::parse("unix:" + path);
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return ::connect(probe.get(), there.address(), there.size()) < 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

std::shared_ptr<Server> serve(EventLoop& loop, ListenOptions where,
                              Service service) {
  ServerOptions options;
  options.allow_half_open = true;
  auto server = create_server(loop, options, std::move(service));
  if (!where.port && !where.path.empty() && nobody_listens(where.path)) {
    std::string aside = where.path + "~";
    if (::rename(where.path.c_str(), aside.c_str()) == 0)
      ::unlink(aside.c_str());
  }
  server->listen(where);
  return server;
}

}  // namespace net
