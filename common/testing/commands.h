// The program around somebody's code that a driver talks to (subject.h): it
// calls what it is told to, and says what came out. It judges nothing.
//
//   int main() {
//     return graded::obey({
//         {"send", [](const Order& order) -> Words {
//            return {outcome(net::send_all(order.fd(0), order.word(1)))};
//          }},
//     });
//   }
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace graded {

using Words = std::vector<std::string>;

// One command, with the descriptors that came along: copies, which are closed
// when it has been obeyed.
struct Order {
  Words words;
  std::vector<int> fds;

  const std::string& word(std::size_t n) const { return words.at(n); }
  long number(std::size_t n) const { return std::stol(words.at(n)); }
  int fd(std::size_t n) const { return fds.at(n); }
};

// Sends words, and descriptors, over a socket of socketpair(SOCK_SEQPACKET);
// false when the other end is gone.
bool send_words(int socket, const Words& words, const std::vector<int>& fds);
// Waits for them; no words at the end.
Order receive_words(int socket);

// Obeys until the driver ends. What a command throws is its answer.
using Commands = std::map<std::string, std::function<Words(const Order&)>>;
int obey(const Commands& commands);

// What a call returned: "true", "false and EPIPE"; call it at once.
std::string outcome(bool done);
std::string outcome(long result);  // "12", "-1 and ECONNRESET"

}  // namespace graded
