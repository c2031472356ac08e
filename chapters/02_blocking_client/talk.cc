// talk HOST PORT: sends what you type, then FIN, and prints the reply.
//
//   printf 'GET / HTTP/1.0\r\n\r\n' | talk localhost 8080
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "chapters/02_blocking_client/client.h"

namespace {

int complain(const std::string& what) {
  std::cerr << "talk: " << what << ": " << std::strerror(errno) << "\n";
  return 1;
}

int talk(const std::string& host, const std::string& port) {
  int fd = net::connect_any(net::resolve(host, port), std::chrono::seconds(10));
  if (fd < 0) return complain("connect to " + host + ":" + port);
  std::string request(std::istreambuf_iterator<char>(std::cin), {});
  std::string reply;
  int status = 0;
  if (!net::send_all(fd, request)) {
    status = complain("send");
  } else if (!net::shutdown_write(fd)) {
    status = complain("shutdown");
  } else if (!net::receive_all(fd, reply)) {
    status = complain("receive");
  }
  std::cout << reply << std::flush;
  ::close(fd);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: talk HOST PORT\n";
    return 2;
  }
  try {
    return talk(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "talk: " << error.what() << "\n";
    return 1;
  }
}
