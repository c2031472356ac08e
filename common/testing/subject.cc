#include "common/testing/subject.h"

#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "common/testing/graded.h"
#include "common/testing/peer.h"

namespace graded {
namespace {

std::string shown(const Words& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : " ") + (&word == &words[0] ? word : show(word));
  return out;
}

// The letter of proc(5): R while it runs, S while it waits.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::size_t end = text.rfind(')');
  return end == std::string::npos ? 'X' : text[end + 2];
}

void set_descriptor_limit(pid_t pid, rlim_t most) {
  rlimit limit{};
  ::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit);
  limit.rlim_cur = most;
  checked(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), "prlimit()");
}

}  // namespace

Subject::Subject() {
  // Its own process may not look into this one.
  ::prctl(PR_SET_DUMPABLE, 0);
  const char* program = std::getenv("GRADED_SUBJECT");
  int pair[2];
  if (!program ||
      ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    throw std::runtime_error("the driver has no subject");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pair[1], STDIN_FILENO);
    // What the driver does next is not for the code to know.
    for (const char* ours : {"GRADED_SUBJECT", "GRADED_SEED"}) ::unsetenv(ours);
    ::execl(program, program, nullptr);
    ::_exit(127);
  }
  ::close(pair[1]);
  socket_ = pair[0];
}

Subject::~Subject() {
  ::close(socket_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Subject::begin(const Words& words, const std::vector<int>& fds) {
  step("you", shown(words));
  send_words(socket_, words, fds);
}

Words Subject::answer() {
  Words words = receive_words(socket_).words;
  if (words.empty())
    throw std::runtime_error("the process with the code has ended");
  step("you", "= " + shown(words));
  return words;
}

Words Subject::ask(const Words& words, const std::vector<int>& fds) {
  begin(words, fds);
  return answer();
}

void Subject::wait_until_it_waits() {
  // First it has to take its order, and then to stop running.
  for (int waiting = 1; waiting || state_of(pid_) != 'S';) {
    if (::ioctl(socket_, SIOCOUTQ, &waiting) < 0 || state_of(pid_) == 'X')
      throw std::runtime_error("the process with the code has ended");
    ::poll(nullptr, 0, 1);
  }
}

void Subject::interrupt() {
  ::kill(pid_, SIGUSR1);
  char c = 0;
  if (::recv(socket_, &c, 1, 0) != 1 || c != '!')
    throw std::runtime_error("the code did not wait for this signal");
  step("test", "sends a signal");
}

std::vector<std::string> Subject::descriptors() const {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  for (const auto& entry :
       fs::directory_iterator("/proc/" + std::to_string(pid_) + "/fd"))
    found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

void Subject::allow_no_more_descriptors() {
  std::vector<std::string> open = descriptors();
  rlim_t lowest = 0;
  while (std::count(open.begin(), open.end(), std::to_string(lowest))) ++lowest;
  set_descriptor_limit(pid_, lowest);
}

void Subject::allow_descriptors() {
  set_descriptor_limit(pid_, 1024);
}

int Subject::flags(int fd) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/fdinfo/" +
                     std::to_string(fd));
  for (std::string word; file >> word;)
    if (word == "flags:" && file >> word) return std::stoi(word, nullptr, 8);
  throw std::runtime_error("it has no descriptor " + std::to_string(fd));
}

std::string at(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace graded
