// What a driver can ask of chapter 03's code.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "chapters/03_blocking_server/server.h"
#include "common/testing/commands.h"

using namespace graded;

namespace {

// A connection's bytes up to its end, and whether that was FIN.
std::pair<std::string, bool> heard_from(int fd) {
  std::string heard;
  char buffer[1000];
  ssize_t n;
  while ((n = ::recv(fd, buffer, sizeof buffer, 0)) > 0)
    heard.append(buffer, static_cast<std::size_t>(n));
  return {heard, n == 0};
}

// listen ENDPOINT [BACKLOG] -> the descriptor's number, or why there is none
Words order_to_listen(const Order& order) {
  auto where = net::Endpoint::parse(order.word(1));
  errno = 0;
  return {outcome(static_cast<long>(
      order.words.size() > 2
          ? net::listen_on(where, static_cast<int>(order.number(2)))
          : net::listen_on(where)))};
}

// where NUMBER -> what the kernel says, asked without their code
Words where(const Order& order) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  ::getsockname(static_cast<int>(order.number(1)), address, &size);
  return {net::Endpoint::from(address, size).to_string()};
}

Words local_endpoint(const Order& order) {
  try {
    return {net::local_endpoint(order.fd(0)).to_string()};
  } catch (const std::system_error& error) {
    errno = error.code().value();
    return {outcome(-1L)};
  }
}

// turn_away NUMBER: the next client is accepted and closed, without their code
Words turn_away(const Order& order) {
  ::close(::accept(static_cast<int>(order.number(1)), nullptr, nullptr));
  return {"done"};
}

// hear NUMBER: a client's bytes, read and closed without their code
Words hear(const Order& order) {
  int fd = static_cast<int>(order.number(1));
  std::string heard = heard_from(fd).first;
  ::close(fd);
  return {heard};
}

Words order_to_accept(const Order& order) {
  errno = 0;
  return {
      outcome(static_cast<long>(net::accept_one(order.fd(0), order.fd(1))))};
}

// serve RESULT: each client hears its number and what it said
Words order_to_serve(const Order& order) {
  int n = 0;
  return {outcome(net::serve(order.fd(0), order.fd(1), [&](int client) {
    auto [heard, in_order] = heard_from(client);
    std::string reply = std::to_string(++n) + " " + heard;
    ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
    return in_order && order.word(1) == "true";
  }))};
}

}  // namespace

int main() {
  return obey({
      {"listen", order_to_listen},
      {"where", where},
      {"local_endpoint", local_endpoint},
      {"turn_away", turn_away},
      {"hear", hear},
      {"accept", order_to_accept},
      {"serve", order_to_serve},
      // A copy that stays open when the order has been obeyed.
      {"take",
       [](const Order& order) -> Words {
         return {std::to_string(::fcntl(order.fd(0), F_DUPFD_CLOEXEC, 3))};
       }},
      {"echo",
       [](const Order& order) -> Words {
         return {outcome(net::echo(static_cast<int>(order.number(1))))};
       }},
      {"close",
       [](const Order& order) -> Words {
         return {outcome(::close(static_cast<int>(order.number(1))) == 0)};
       }},
  });
}
