// Between the calls in shim.cc and the scripts in fault.cc.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/graded.h"

namespace graded::shim {

// Whether this thread runs the code under test.
bool watched();

struct Ticket {
  std::size_t number;  // of its record
  Action action;
};

// A call begins: its record and its line, and what it is to do.
Ticket begin(Call family, const char* name, int fd, std::string arguments,
             std::vector<long> numbers, std::span<const pollfd> set);
// `written` is how the line shows the result: empty for the number. Keeps
// errno.
void end(const Ticket& ticket, long result, const std::string& written,
         std::span<const pollfd> set);

std::string socket_kind(int domain, int type, int protocol);
std::string type_flags(int type);
std::string address_text(const sockaddr* address, socklen_t size);
std::string revents_text(std::span<const pollfd> set);
std::string poll_text(const pollfd* fds, nfds_t n, int timeout);
std::string option_text(int level, int name);
std::string octal(mode_t mode);

// `wait(milliseconds)` is the real call; on a virtual clock nobody waits.
int wait_on_clock(int timeout, const std::function<int(int)>& wait);
void virtual_time(clockid_t clock, timespec* now);

}  // namespace graded::shim
