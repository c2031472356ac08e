// Hands a listening TCP socket from one process to another. No connection is
// lost on the way: the queue belongs to the socket, not to a process.
//
//   handover serve PATH   listens on a port of 127.0.0.1, prints it, and gives
//                         the listening socket to the first taker at PATH
//   handover take PATH    takes it, and serves echo on it
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "chapters/05_unix_sockets/unix_sockets.h"

namespace {

int checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

net::Endpoint name_of(const net::Fd& socket) {
  sockaddr_storage name;
  socklen_t size = sizeof name;
  auto* address = reinterpret_cast<sockaddr*>(&name);
  checked(::getsockname(socket.get(), address, &size), "getsockname");
  return net::Endpoint::from(address, size);
}

// Whether this client has taken it. One that only looks whether a server is
// alive at the path (another PathServer does) leaves without a word.
bool hand_over(const net::Fd& client, const net::Fd& listener) {
  try {
    net::send_with_fds(client.get(), "x", std::array{listener.get()});
    return !net::receive_with_fds(client.get(), 1, 0).bytes.empty();
  } catch (const std::system_error&) {
    return false;
  }
}

void serve(const std::string& path) {
  net::Endpoint any = net::Endpoint::parse("127.0.0.1:0");
  net::Fd listener(
      checked(::socket(any.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  checked(::bind(listener.get(), any.address(), any.size()), "bind");
  checked(::listen(listener.get(), SOMAXCONN), "listen");
  net::PathServer server(path);
  std::cout << "listening on " << name_of(listener).to_string()
            << ", handing it over at " << path << std::endl;
  while (true) {
    net::Fd client = server.accept();
    if (!hand_over(client, listener)) continue;
    std::cout << "process " << net::peer_credentials(client.get()).pid
              << " has it now" << std::endl;
    return;
  }
}

// One client at a time: what one sends comes back until it ends.
void echo(const net::Fd& client) {
  char buffer[4096];
  ssize_t n;
  while ((n = ::recv(client.get(), buffer, sizeof buffer, 0)) > 0) {
    std::string_view rest(buffer, static_cast<std::size_t>(n));
    net::send_with_fds(client.get(), rest, {});
  }
}

[[noreturn]] void take(const std::string& path) {
  net::Fd server = net::connect_path(path);
  net::Message message = net::receive_with_fds(server.get(), 1, 1);
  if (message.fds.empty()) throw std::runtime_error("no descriptor came");
  net::Fd listener = std::move(message.fds[0]);
  net::send_with_fds(server.get(), "y", {});
  std::cout << "serving " << name_of(listener).to_string() << std::endl;
  while (true) {
    net::Fd client(checked(
        ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    try {
      echo(client);
    } catch (const std::system_error& error) {
      std::cerr << "handover: " << error.what() << "\n";
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string command = argc == 3 ? argv[1] : "";
  if (command != "serve" && command != "take") {
    std::cerr << "usage: handover serve PATH\n       handover take PATH\n";
    return 2;
  }
  try {
    command == "serve" ? serve(argv[2]) : take(argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "handover: " << error.what() << "\n";
    return 1;
  }
}
