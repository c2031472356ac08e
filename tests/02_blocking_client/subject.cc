// What a driver can ask of chapter 02's code.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chapters/02_blocking_client/client.h"
#include "common/testing/commands.h"

using namespace graded;

namespace {

std::chrono::milliseconds time_of(const std::string& word) {
  return std::chrono::milliseconds(std::stol(word));
}

// connect TIME-OUT ENDPOINT... -> the descriptor's number, or why there is none
Words order_to_connect(const Order& order) {
  std::vector<net::Endpoint> endpoints;
  for (std::size_t i = 2; i < order.words.size(); ++i)
    endpoints.push_back(net::Endpoint::parse(order.word(i)));
  errno = 0;
  return {outcome(
      static_cast<long>(net::connect_any(endpoints, time_of(order.word(1)))))};
}

// What comes from a connection that connect made, read without their code.
Words hear(const Order& order) {
  std::string heard;
  char buffer[1000];
  int fd = static_cast<int>(order.number(1));
  ::fcntl(fd, F_SETFL, 0);
  for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    heard.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return {heard};
}

// send BYTES TIMES
Words order_to_send(const Order& order) {
  std::string bytes;
  for (long n = order.number(2); n > 0; --n) bytes += order.word(1);
  return {outcome(net::send_all(order.fd(0), bytes))};
}

Words receive_all(const Order& order) {
  std::string reply;
  std::string end = outcome(net::receive_all(order.fd(0), reply));
  return {end, reply};
}

Words receive_some(const Order& order) {
  char buffer[100];
  return {outcome(static_cast<long>(
      net::receive_some(order.fd(0), buffer, sizeof buffer)))};
}

}  // namespace

int main() {
  return obey({
      {"connect", order_to_connect},
      {"hear", hear},
      {"send", order_to_send},
      {"receive_all", receive_all},
      {"receive_some", receive_some},
      {"shutdown_write",
       [](const Order& order) -> Words {
         return {outcome(net::shutdown_write(order.fd(0)))};
       }},
      {"set_receive_timeout",
       [](const Order& order) -> Words {
         return {outcome(
             net::set_receive_timeout(order.fd(0), time_of(order.word(1))))};
       }},
  });
}
