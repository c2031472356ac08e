#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "chapters/05_unix_sockets/unix_sockets.h"
#include "chapters/12_services/services.h"

namespace net {
namespace {

// A socket file, and nobody listens: chapter 05's question.
bool is_dead(const std::string& path) {
  struct stat file;
  if (::lstat(path.c_str(), &file) < 0 || !S_ISSOCK(file.st_mode)) return false;
  try {
    connect_path(path);
    return false;
  } catch (const std::system_error& error) {
    return error.code().value() == ECONNREFUSED;
  }
}

}  // namespace

std::shared_ptr<Server> serve(EventLoop& loop, ListenOptions where,
                              Service service) {
  // 12.1: a server that was killed could not remove its file (SERVICE-2).
  if (!where.port && is_dead(where.path)) ::unlink(where.path.c_str());
  // A client may end and still wait for its answers (SERVICE-3): else end()
  // would be called for us, in the middle of them.
  ServerOptions options;
  options.allow_half_open = true;
  auto server = create_server(loop, options, std::move(service));
  server->listen(std::move(where));
  return server;
}

// Also right: to listen first, and to look at the file only after EADDRINUSE;
// to rename a file of one's own over the dead one, which leaves no moment
// without a file.

}  // namespace net
