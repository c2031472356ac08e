// echo_server [HOST:]PORT: sends back what each client sends, one at a time.
//
//   echo_server 8080        127.0.0.1:8080; 0 is any free port
//   echo_server [::]:8080   every interface
//
// SIGINT or SIGTERM ends it after the client that it serves; a second one at
// once.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>

#include "chapters/03_blocking_server/server.h"

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
  std::cerr << "echo_server: " << what << ": " << std::strerror(errno) << "\n";
  return 1;
}

bool echo_and_report(int client) {
  bool clean = net::echo(client);
  if (!clean) complain("a client");
  return clean;
}

int run(const net::Endpoint& endpoint) {
  if (!stop_on_signals()) return complain("signals");
  int listener = net::listen_on(endpoint);
  if (listener < 0) return complain("listen on " + endpoint.to_string());
  std::cout << "listening " << net::local_endpoint(listener).port()
            << std::endl;
  bool stopped = net::serve(listener, stop_pipe[0], echo_and_report);
  int status = stopped ? 0 : complain("accept");
  ::close(listener);
  return status;
}

int usage() {
  std::cerr << "usage: echo_server [HOST:]PORT\n";
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
    std::cerr << "echo_server: " << error.what() << "\n";
    return usage();
  } catch (const std::exception& error) {
    std::cerr << "echo_server: " << error.what() << "\n";
    return 1;
  }
}
