#include "common/testing/commands.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <sstream>

#include "common/testing/channel.h"

namespace graded {
namespace {

constexpr std::size_t kMostBytes = 200'000, kMostDescriptors = 8;

// Says that a signal came; the call that it interrupted returns with EINTR.
void acknowledge(int) {
  int saved = errno;
  ::send(STDIN_FILENO, "!", 1, MSG_NOSIGNAL);
  errno = saved;
}

}  // namespace

bool send_words(int socket, const Words& words, const std::vector<int>& fds) {
  std::string line;
  for (const std::string& word : words) line += channel::escape(word) + '\t';
  iovec part{line.data(), line.size()};
  alignas(
      cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    ::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

Order receive_words(int socket) {
  std::string line(kMostBytes, '\0');
  iovec part{line.data(), line.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n;
  do n = ::recvmsg(socket, &message, 0);
  while (n < 0 && errno == EINTR);
  Order order;
  if (n <= 0) return order;
  line.resize(static_cast<std::size_t>(n));
  std::istringstream words(line);
  for (std::string word; std::getline(words, word, '\t');)
    order.words.push_back(channel::unescape(word));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_type == SCM_RIGHTS) {
    order.fds.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    ::memcpy(order.fds.data(), CMSG_DATA(header),
             order.fds.size() * sizeof(int));
  }
  return order;
}

int obey(const Commands& commands) {
  struct sigaction action = {};
  action.sa_handler = acknowledge;
  ::sigaction(SIGUSR1, &action, nullptr);
  while (true) {
    Order order = receive_words(STDIN_FILENO);
    if (order.words.empty()) return 0;
    Words answer;
    try {
      answer = commands.at(order.words[0])(order);
    } catch (const std::exception& error) {
      answer = {"threw: " + std::string(error.what())};
    }
    for (int fd : order.fds) ::close(fd);
    send_words(STDIN_FILENO, answer, {});
  }
}

std::string outcome(bool done) {
  int number = errno;
  return done ? "true" : std::string("false and ") + ::strerrorname_np(number);
}

std::string outcome(long result) {
  int number = errno;
  return result < 0 ? std::string("-1 and ") + ::strerrorname_np(number)
                    : std::to_string(result);
}

}  // namespace graded
