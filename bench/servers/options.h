// What the servers of the benchmark have in common: their command line, the
// listening socket, the first line of output, and the end.
//
//   options::Options o = options::parse(argc, argv);  // or usage, and exit(2)
//   int listener = options::listen_on(o);             // "listening 40123"
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace options {

// So much is read at once, by each server that lets one choose.
inline constexpr std::size_t kReadBuffer = 256 * 1024;

struct Options {
  int port = -1;
  std::string host = "127.0.0.1";
  std::string path = {};
  std::string cert = {}, key = {};  // files, of those who speak TLS
};

[[noreturn]] inline void usage(const char* program) {
  std::fprintf(stderr,
               "usage: %s --port N [--host ADDRESS] | --path P\n"
               "    [--cert FILE --key FILE]\n",
               program);
  std::exit(2);
}

inline Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    bool number = !value.empty() && value.size() <= 5 &&
                  std::all_of(value.begin(), value.end(),
                              [](char c) { return c >= '0' && c <= '9'; });
    if (name == "--port" && number && std::stoi(value) < 65536)
      options.port = std::stoi(value);
    else if (name == "--host" && !value.empty())
      options.host = value;
    else if (name == "--path" && !value.empty())
      options.path = value;
    else if (name == "--cert" && !value.empty())
      options.cert = value;
    else if (name == "--key" && !value.empty())
      options.key = value;
    else
      usage(argv[0]);
  }
  if ((options.port < 0) == options.path.empty()) usage(argv[0]);
  return options;
}

[[noreturn]] inline void fail(const char* call) {
  std::perror(call);
  std::exit(1);
}

inline int bound_to_path(const Options& options) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options.path.size() >= sizeof address.sun_path) fail("path too long");
  std::memcpy(address.sun_path, options.path.data(), options.path.size());
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    fail("bind");
  return fd;
}

inline int bound_to_port(const Options& options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(options.port));
  if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1)
    fail("--host takes an IPv4 address");
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    fail("bind");
  return fd;
}

inline void say_where(int fd, const Options& options) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  if (options.path.empty())
    std::printf("listening %d\n", ntohs(address.sin_port));
  else
    std::printf("listening %s\n", options.path.c_str());
  std::fflush(stdout);
}

// Only calls that a signal handler may make.
inline char path_to_remove[sizeof(sockaddr_un::sun_path)];
inline void on_sigterm(int) {
  if (path_to_remove[0] != '\0') ::unlink(path_to_remove);
  ::_exit(0);
}

// Non-blocking, with the backlog of Node. From here on SIGTERM ends us.
inline int listen_on(const Options& options) {
  int fd =
      options.path.empty() ? bound_to_port(options) : bound_to_path(options);
  std::memcpy(path_to_remove, options.path.c_str(), options.path.size() + 1);
  ::signal(SIGTERM, on_sigterm);
  ::signal(SIGPIPE, SIG_IGN);
  if (::listen(fd, 511) < 0) fail("listen");
  say_where(fd, options);
  return fd;
}

}  // namespace options
