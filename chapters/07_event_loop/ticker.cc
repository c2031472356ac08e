// One loop, four things at once: the terminal, a clock, threads, and what is
// left for the end of a callback.
//
//   ticker [MILLISECONDS]   ticks each second, or that often; counts the lines
//                           that it reads; for a line that is a number N, a
//                           thread counts the primes below N meanwhile
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "chapters/07_event_loop/event_loop.h"
#include "common/program.h"

namespace {

long primes_below(long limit) {
  long found = 0;
  for (long n = 2; n < limit; ++n) {
    long divisor = 2;
    while (divisor * divisor <= n && n % divisor != 0) ++divisor;
    if (divisor * divisor > n) ++found;
  }
  return found;
}

class Ticker {
 public:
  Ticker(net::EventLoop& loop, std::chrono::milliseconds period) : loop_(loop) {
    net::TimerId tick =
        loop_.set_interval(period, [n = 0]() mutable { say("tick", ++n); });
    // The clock alone is no reason to stay.
    loop_.unref(tick);
    loop_.watch(STDIN_FILENO, POLLIN, [this](short) { read_some(); });
  }

 private:
  static void say(std::string_view what, long number) {
    std::cout << what << " " << number << std::endl;
  }

  // poll() said that a read() would not wait. That holds for one read().
  void read_some() {
    char buffer[4096];
    ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "read");
    if (n == 0) return loop_.unwatch(STDIN_FILENO);
    text_.append(buffer, static_cast<std::size_t>(n));
    std::size_t end;
    while ((end = text_.find('\n')) != std::string::npos) {
      on_line(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
  }

  void on_line(const std::string& line) {
    // However many lines one read() brings, their number is said once.
    if (lines_++ == said_)
      loop_.defer([this] { say("lines", said_ = lines_); });
    std::cout << "> " << line << std::endl;
    if (number_in(line) >= 0) count_primes(number_in(line));
  }

  // Would stop the clock if it was done here: so a thread does it, and only
  // its answer comes to the loop. Until then, hold() keeps run() going.
  void count_primes(long limit) {
    loop_.hold();
    long job = jobs_++;
    threads_[job] = std::jthread([this, job, limit] {
      long found = primes_below(limit);
      loop_.post([this, job, limit, found] {
        say("primes below " + std::to_string(limit) + ":", found);
        threads_.erase(job);
        loop_.release();
      });
    });
  }

  net::EventLoop& loop_;
  std::string text_;
  long lines_ = 0;
  long said_ = 0;
  long jobs_ = 0;
  std::map<long, std::jthread> threads_;
};

}  // namespace

int main(int argc, char** argv) {
  long period = argc == 1 ? 1000 : argc == 2 ? number_in(argv[1]) : -1;
  if (period <= 0) {
    std::cerr << "usage: ticker [MILLISECONDS]\n";
    return 2;
  }
  try {
    net::EventLoop loop;
    Ticker ticker(loop, std::chrono::milliseconds(period));
    loop.run();
  } catch (const std::exception& error) {
    std::cerr << "ticker: " << error.what() << "\n";
    return 1;
  }
}
