#include "common/testing/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

namespace graded::channel {
namespace {

// Plain bytes: they are filled in before any other object has been made.
int channel_fd = -1;
char channel_key[64];
int pass_status = 0;
bool is_canary = false;
std::mutex channel_mutex;

// System calls by number: the names belong to the fault shim, which reports
// through this file.
bool write_whole(std::string_view bytes) {
  while (!bytes.empty()) {
    long n = ::syscall(SYS_sendto, channel_fd, bytes.data(), bytes.size(),
                       MSG_NOSIGNAL, nullptr, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return false;  // the runner is gone, or somebody closed our line
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// One word of the runner's line, "KEY STATUS CANARY\n".
void read_word(char* word, std::size_t size) {
  char c;
  for (std::size_t n = 0; n + 1 < size; word[n++] = c)
    if (::syscall(SYS_read, channel_fd, &c, 1) != 1 || c == ' ' || c == '\n')
      return;
}

// Before the first constructor of anybody else, so that the code under test
// never finds the key in the line: 101 is the first priority that a program
// may ask for, and the grader takes no code that asks for one.
[[gnu::constructor(101)]] void open() {
  const char* number = std::getenv(kVariable);
  if (!number) return;
  channel_fd = std::atoi(number);
  ::unsetenv(kVariable);
  ::fcntl(channel_fd, F_SETFD, FD_CLOEXEC);
  read_word(channel_key, sizeof channel_key);
  char status[8] = {}, canary[8] = {};
  read_word(status, sizeof status);
  read_word(canary, sizeof canary);
  pass_status = std::atoi(status);
  is_canary = canary[0] == '1';
}

}  // namespace

int start() {
  send({"start", channel_key});
  return pass_status;
}

bool canary() {
  return is_canary;
}

bool is_open() {
  return channel_fd >= 0;
}

bool send(std::initializer_list<std::string_view> fields) {
  if (channel_fd < 0) return true;
  int saved = errno;
  std::string line;
  for (std::string_view field : fields) {
    if (!line.empty()) line += '\t';
    line += escape(field);
  }
  line += '\n';
  std::lock_guard lock(channel_mutex);
  bool sent = write_whole(line);
  errno = saved;
  return sent;
}

bool close(bool passed) {
  return send({"end", channel_key, passed ? "passed" : "failed"});
}

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    char c = text[++i];
    out += c == 't' ? '\t' : c == 'n' ? '\n' : c;
  }
  return out;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

}  // namespace graded::channel
