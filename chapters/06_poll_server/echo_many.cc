// echo_many [HOST:]PORT: sends back what each client sends, all at once.
//
//   echo_many 8080        127.0.0.1:8080; 0 is any free port
//   echo_many [::]:8080   every interface
//
// SIGINT or SIGTERM ends it, and its connections with it.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/03_blocking_server/server.h"
#include "chapters/06_poll_server/poll_server.h"

namespace {

int stop_pipe[2];  // readable once a signal has come

void on_signal(int) {
  int saved = errno;
  (void)!::write(stop_pipe[1], "", 1);
  errno = saved;
}

bool stop_on_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND;  // the second signal is not ours
  return ::pipe2(stop_pipe, O_CLOEXEC) == 0 &&
         ::sigaction(SIGINT, &action, nullptr) == 0 &&
         ::sigaction(SIGTERM, &action, nullptr) == 0;
}

int complain(const std::string& what) {
  std::cerr << "echo_many: " << what << ": " << std::strerror(errno) << "\n";
  return 1;
}

// A client is a descriptor, and the system counts them. The soft limit is where
// a process begins, the hard one is how far it may go by itself.
void allow_many_descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) < 0) {
    complain("setrlimit");
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  std::cout << files.rlim_cur << " descriptors allowed";
  constexpr rlim_t kOurs = 6;  // 0 to 2, the stop pipe's two, the listener
  if (files.rlim_cur < 1000 + kOurs)
    std::cout << ": too few for 1,000 clients (ulimit -Hn is the hard limit)";
  std::cout << std::endl;
}

int run(const net::Endpoint& endpoint) {
  if (!stop_on_signals()) return complain("signals");
  allow_many_descriptors();
  net::Fd listener(net::listen_on(endpoint, 1024));
  if (!listener) return complain("listen on " + endpoint.to_string());
  std::cout << "listening " << net::local_endpoint(listener.get()).port()
            << std::endl;
  net::PollServer server(std::move(listener));
  server.run(stop_pipe[0]);
  return 0;
}

int usage() {
  std::cerr << "usage: echo_many [HOST:]PORT\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return usage();
  std::string where = argv[1];
  if (where.find(':') == where.npos) where = "127.0.0.1:" + where;
  try {
    net::Endpoint endpoint = net::Endpoint::parse(where);
    return endpoint.path().empty() ? run(endpoint) : usage();
  } catch (const std::invalid_argument& error) {
    std::cerr << "echo_many: " << error.what() << "\n";
    return usage();
  } catch (const std::exception& error) {
    std::cerr << "echo_many: " << error.what() << "\n";
    return 1;
  }
}
