#include "common/testing/runner/supervise.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "common/testing/channel.h"

namespace graded {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kFirstSteps = 12, kLastSteps = 24;
constexpr std::size_t kKeptOutput = 4096;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

std::vector<std::string> lines_of(const std::string& joined) {
  return joined.empty() ? std::vector<std::string>() : split(joined, '\n');
}

std::string new_key() {
  std::random_device device;
  std::ostringstream key;
  for (int i = 0; i < 4; ++i) key << std::hex << device();
  return key.str();
}

// The exit status of a pass, one of 60 that neither the system nor a sanitizer
// uses: a process that ends itself does not know it.
int new_pass_status() {
  return 40 + static_cast<int>(std::random_device()() % 60);
}

std::string signal_text(int number) {
  std::string name = std::string("SIG") + ::sigabbrev_np(number);
  switch (number) {
    case SIGPIPE:
      return name +
             ": it sent to a connection that the other end had closed, and "
             "the default action of that signal is to end the process";
    case SIGSEGV:
    case SIGBUS:
      return name + ": it touched memory that is not its own";
    case SIGABRT:
      return name + ": an exception nobody caught, or a failed assertion";
    case SIGXCPU:
      return name + ": it used the processor without end";
    default:
      return name;
  }
}

// The child's side: limits, then the test binary with one test chosen.
[[noreturn]] void become_test(const std::string& binary,
                              const std::string& name, int channel, int output,
                              const Limits& limits, Clock::time_point end) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto limit = [](auto what, rlim_t value) {
    rlimit both{value, value};
    ::setrlimit(what, &both);
  };
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 64 << 20);
  limit(RLIMIT_CPU, 60);
  limit(RLIMIT_NPROC, 2048);
  // What most systems give, and as many as a test of a thousand clients may
  // ask for.
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_max = std::min<rlim_t>(files.rlim_max, 4096);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 1024);
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (limits.memory) limit(RLIMIT_AS, rlim_t{2} << 30);
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  // Out of the way of a learner who closes 3, 4, 5.
  constexpr int kChannel = 1000;
  ::dup2(channel, kChannel);
  ::syscall(SYS_close_range, 3, kChannel - 1, 0);
  ::setenv(channel::kVariable, std::to_string(kChannel).c_str(), 1);
  auto time = std::chrono::duration_cast<milliseconds>(end.time_since_epoch());
  ::setenv(channel::kDeadline, std::to_string(time.count()).c_str(), 1);
  for (const char* variable :
       {"XML_OUTPUT_FILE", "TESTBRIDGE_TEST_ONLY", "GTEST_OUTPUT",
        "TEST_TOTAL_SHARDS", "TEST_PREMATURE_EXIT_FILE",
        "TEST_UNDECLARED_OUTPUTS_DIR"})
    ::unsetenv(variable);
  std::string filter = "--gtest_filter=" + name;
  const char* const arguments[] = {binary.c_str(), filter.c_str(),
                                   "--gtest_color=no", nullptr};
  ::execv(binary.c_str(), const_cast<char* const*>(arguments));
  ::dprintf(2, "cannot run %s: %s\n", binary.c_str(), ::strerror(errno));
  ::_exit(127);
}

// Every process below this one, but `except`.
std::vector<pid_t> descendants() {
  std::multimap<pid_t, pid_t> children;
  DIR* directory = ::opendir("/proc");
  while (dirent* entry = directory ? ::readdir(directory) : nullptr) {
    pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    std::ifstream file("/proc/" + std::string(entry->d_name) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) continue;
    char state;
    pid_t parent;
    std::istringstream rest(text.substr(name_end + 1));
    if (rest >> state >> parent) children.emplace(parent, pid);
  }
  if (directory) ::closedir(directory);
  std::vector<pid_t> found{::getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto [begin, end] = children.equal_range(found[i]);
    for (auto it = begin; it != end; ++it) found.push_back(it->second);
  }
  found.erase(found.begin());
  return found;
}

// Waits a little for processes that are about to end; then ends the rest.
// Returns whether there was a rest.
bool end_descendants() {
  auto give_up = Clock::now() + milliseconds(1000);
  bool left = false;
  while (true) {
    pid_t pid = ::waitpid(-1, nullptr, left ? 0 : WNOHANG);
    if (pid < 0 && errno == ECHILD) return left;
    if (pid != 0) continue;
    if (Clock::now() < give_up) {
      ::poll(nullptr, 0, 5);
      continue;
    }
    left = true;
    for (pid_t descendant : descendants()) ::kill(descendant, SIGKILL);
  }
}

// A message without the words that GoogleTest puts around it.
std::string without_googletest(const std::string& message) {
  constexpr std::string_view kFailed = "Failed\n";  // of ADD_FAILURE()
  if (message.starts_with(kFailed)) return message.substr(kFailed.size());
  constexpr std::string_view kThrown = "C++ exception with description \"";
  if (!message.starts_with(kThrown)) return message;
  std::size_t end = message.rfind("\" thrown in ");
  std::string what = message.substr(kThrown.size(), end - kThrown.size());
  // What what() says of this one is its name.
  if (what == "bad_function_call")
    what =
        "an empty std::function was called: nobody has set it, or it was moved "
        "away or destroyed before";
  std::size_t rest = std::min(message.find('\n', end), message.size());
  return "An exception came out of the code: " + what + message.substr(rest);
}

// What one test sent and printed, as it comes.
class Report {
 public:
  explicit Report(std::string key) : key_(std::move(key)) {}

  const int pass_status = new_pass_status();
  Outcome outcome;
  std::size_t output_bytes = 0;
  bool started = false, ended = false, passed = false;

  void take_output(std::string_view bytes) {
    output_bytes += bytes.size();
    outcome.output += bytes;
    if (outcome.output.size() > 2 * kKeptOutput)
      outcome.output.erase(0, outcome.output.size() - kKeptOutput);
  }

  void take_messages(std::string_view bytes) {
    pending_ += bytes;
    std::size_t start = 0;
    for (std::size_t end;
         (end = pending_.find('\n', start)) != std::string::npos;
         start = end + 1)
      take_line(std::string_view(pending_).substr(start, end - start));
    pending_.erase(0, start);
  }

  std::string last_call() const {
    return calls_.empty() ? "" : calls_.rbegin()->second;
  }

  // The lines of calls that never returned say so.
  void close_open_calls() {
    for (auto& [number, text] : calls_)
      for (Step& step : outcome.steps)
        if (step.who == "you" && step.what == text && step.result.empty())
          step.what += " never returned";
  }

 private:
  void take_line(std::string_view line) {
    std::vector<std::string> f = split(line, '\t');
    for (std::string& field : f) field = channel::unescape(field);
    const std::string& kind = f[0];
    if (kind == "start" && f.size() == 2) {
      started = f[1] == key_;
    } else if (kind == "end" && f.size() == 3 && f[1] == key_) {
      ended = true;
      passed = f[2] == "passed";
    } else if (kind == "fail" && f.size() == 6) {
      outcome.failures.push_back({f[1], f[2], without_googletest(f[3]),
                                  lines_of(f[4]), lines_of(f[5])});
    } else if (kind == "skip" && f.size() == 2) {
      outcome.verdict = Verdict::kSkip;
      outcome.why = f[1];
    } else if (kind == "step" && f.size() == 3) {
      add_step(f[1], f[2]);
    } else if (kind == "call" && f.size() == 3) {
      calls_[f[1]] = f[2];
      add_step("you", f[2]);
    } else if (kind == "return" && f.size() == 3) {
      auto call = calls_.find(f[1]);
      if (call == calls_.end()) return;
      returned(call->second, f[2]);
      calls_.erase(call);
    }
  }

  void returned(const std::string& call, const std::string& result) {
    std::vector<Step>& steps = outcome.steps;
    auto it = std::find_if(steps.rbegin(), steps.rend(), [&](const Step& s) {
      return s.who == "you" && s.what == call && s.result.empty();
    });
    if (it == steps.rend()) return;  // among the lines left out
    it->result = result;
    if (it == steps.rbegin()) return merge_repeats();
    it->part = Step::kWaits;
    add_step("you", call);
    steps.back().result = result;
    steps.back().part = Step::kResumed;
  }

  void add_step(std::string who, std::string what) {
    std::vector<Step>& steps = outcome.steps;
    steps.push_back({std::move(who), std::move(what), 1, "", Step::kWhole});
    if (steps.size() > kFirstSteps + kLastSteps) {
      auto cut = steps.begin() + kFirstSteps;
      bool marked = cut->who.empty();
      int times = marked ? cut->times + 1 : 2;
      steps.erase(cut, cut + 2);
      steps.insert(steps.begin() + kFirstSteps,
                   {"", "", times, "", Step::kWhole});
    }
  }

  // `recv(...) = 1` a thousand times is one line.
  void merge_repeats() {
    std::vector<Step>& steps = outcome.steps;
    std::size_t n = steps.size();
    if (n < 2 || steps[n - 1].who != steps[n - 2].who ||
        steps[n - 1].text() != steps[n - 2].text())
      return;
    ++steps[n - 2].times;
    steps.pop_back();
  }

  std::string key_;
  std::string pending_;
  std::map<std::string, std::string> calls_;  // that have not returned
};

// Reads what is there now. False at the end of the stream.
template <typename Take>
bool drain(int fd, Take take) {
  char buffer[65536];
  while (true) {
    ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
      take(std::string_view(buffer, static_cast<std::size_t>(n)));
      if (n < static_cast<ssize_t>(sizeof buffer)) return true;
      continue;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
  }
}

std::string parting(const std::vector<std::string>& expected,
                    const std::vector<std::string>& actual) {
  std::size_t i = 0;
  while (i < expected.size() && i < actual.size() && expected[i] == actual[i])
    ++i;
  if (i == expected.size()) return "\"" + actual[i] + "\" was not expected";
  if (i == actual.size()) return "\"" + expected[i] + "\" is missing";
  return "\"" + actual[i] + "\" in place of \"" + expected[i] + "\"";
}

// The line that says most of a failure: where two lists of events part, or the
// test's own words where GoogleTest knows no more than that something is false.
std::string headline(const Failure& failure) {
  const std::string& message = failure.message;
  const auto& expected = failure.expected;
  const auto& actual = failure.actual;
  constexpr std::string_view kFalse = "\nExpected: true\n";
  std::size_t begin = 0;
  if (message.starts_with("Value of: ")) {
    if (expected != actual) return parting(expected, actual);
    std::size_t at = message.find(kFalse);
    if (at != message.npos) begin = at + kFalse.size();
  }
  return message.substr(begin, message.find('\n', begin) - begin);
}

void judge(Report& report, int status, bool late, bool endless,
           bool left_behind, const Limits& limits) {
  Outcome& outcome = report.outcome;
  auto set = [&](Verdict verdict, std::string why) {
    outcome.verdict = verdict;
    outcome.why = std::move(why);
  };
  bool failed = !outcome.failures.empty();
  std::string stuck = report.last_call();
  if (endless) {
    set(Verdict::kFail, "the code printed without end");
  } else if (late) {
    set(Verdict::kTimeout,
        "no end within " + std::to_string(limits.deadline.count() / 1000) +
            " s: " +
            (stuck.empty() ? "a loop goes round and never waits, or has no end"
                           : stuck + " never returned"));
  } else if (WIFSIGNALED(status)) {
    set(Verdict::kCrash,
        "the process was ended by " + signal_text(WTERMSIG(status)));
  } else if (!report.started) {
    set(Verdict::kExit, "the process ended with status " +
                            std::to_string(WEXITSTATUS(status)) +
                            " before the test began");
  } else if (!report.ended) {
    set(Verdict::kExit,
        WEXITSTATUS(status) == channel::kBroken
            ? "the process closed descriptors that are not its own, the "
              "test's line to the runner among them"
            : "the process ended with status " +
                  std::to_string(WEXITSTATUS(status)) +
                  " in the middle of the test: does the code call exit()?");
  } else if (outcome.verdict == Verdict::kSkip) {
    outcome.why = "skipped: " + outcome.why;
  } else if (failed || !report.passed) {
    set(Verdict::kFail, failed ? headline(outcome.failures[0]) : "");
  } else if (WEXITSTATUS(status) != report.pass_status) {
    set(Verdict::kFail,
        "the test passed, but the process then ended with "
        "status " +
            std::to_string(WEXITSTATUS(status)));
  } else if (left_behind) {
    set(Verdict::kFail, "the code left a process running");
  } else {
    set(Verdict::kPass, "");
  }
}

Outcome run_one(const std::string& binary, const std::string& name,
                const Limits& limits, Ending ending) {
  int lines[2], output[2];
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines),
          "socketpair");
  checked(::pipe2(output, O_CLOEXEC), "pipe2");
  std::string key = new_key();
  Report report(key);
  auto start = Clock::now();
  auto end = start + limits.deadline;
  // Before there is a child: one that ends at once would make this a SIGPIPE.
  std::string line = key + " " + std::to_string(report.pass_status) +
                     (ending == Ending::kCanary ? " 1\n" : " 0\n");
  (void)!::write(lines[0], line.data(), line.size());
  pid_t child = checked(::fork(), "fork");
  if (child == 0) become_test(binary, name, lines[1], output[1], limits, end);
  ::close(lines[1]);
  ::close(output[1]);
  ::fcntl(lines[0], F_SETFL, O_NONBLOCK);
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);
  int process = checked(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)),
                        "pidfd_open");

  bool late = false, endless = false;
  pollfd waited[3] = {
      {process, POLLIN, 0}, {lines[0], POLLIN, 0}, {output[0], POLLIN, 0}};
  auto read_both = [&] {
    if (waited[1].fd >= 0 &&
        !drain(lines[0], [&](auto b) { report.take_messages(b); }))
      waited[1].fd = -1;
    if (waited[2].fd >= 0 &&
        !drain(output[0], [&](auto b) { report.take_output(b); }))
      waited[2].fd = -1;
  };
  // A test that knows that its time is over has some left to say so.
  auto killed = end + limits.deadline / 10;
  while (true) {
    auto left = std::chrono::duration_cast<milliseconds>(killed - Clock::now());
    late = left.count() <= 0;
    endless = report.output_bytes > limits.output_bytes;
    if (late || endless) break;
    ::poll(waited, 3, static_cast<int>(left.count()) + 1);
    bool over = waited[0].revents & POLLIN;
    read_both();
    if (over) break;
  }
  if (late || endless) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  report.outcome.milliseconds =
      std::chrono::duration_cast<milliseconds>(Clock::now() - start).count();
  if (late || endless)
    for (pid_t pid : descendants()) ::kill(pid, SIGKILL);
  bool left_behind = end_descendants();
  read_both();
  judge(report, status, late, endless, left_behind, limits);
  report.close_open_calls();
  return std::move(report.outcome);
}

// An Outcome on its way from a supervisor's process to the runner.
std::string packed(const Outcome& outcome) {
  std::string out;
  auto line = [&](std::initializer_list<std::string> fields) {
    std::string text;
    for (const std::string& field : fields)
      text += (text.empty() ? "" : "\t") + channel::escape(field);
    out += text + '\n';
  };
  line({"outcome", std::to_string(static_cast<int>(outcome.verdict)),
        outcome.why, outcome.output, std::to_string(outcome.milliseconds)});
  for (const Failure& f : outcome.failures)
    line({"failure", f.file, f.line, f.message, channel::join_lines(f.expected),
          channel::join_lines(f.actual)});
  for (const Step& s : outcome.steps)
    line({"step", s.who, s.what, std::to_string(s.times), s.result,
          std::to_string(s.part)});
  return out;
}

Outcome unpacked(const std::string& text) {
  Outcome outcome;
  outcome.why = "the runner lost this test";
  for (const std::string& row : split(text, '\n')) {
    std::vector<std::string> f = split(row, '\t');
    for (std::string& field : f) field = channel::unescape(field);
    if (f[0] == "outcome") {
      outcome.verdict = static_cast<Verdict>(std::stoi(f[1]));
      outcome.why = f[2];
      outcome.output = f[3];
      outcome.milliseconds = std::stol(f[4]);
    } else if (f[0] == "failure") {
      outcome.failures.push_back(
          {f[1], f[2], f[3], lines_of(f[4]), lines_of(f[5])});
    } else if (f[0] == "step") {
      outcome.steps.push_back({f[1], f[2], std::stoi(f[3]), f[4],
                               static_cast<Step::Part>(std::stoi(f[5]))});
    }
  }
  return outcome;
}

struct Supervisor {
  std::size_t index;
  pid_t pid;
  std::string text;
};

}  // namespace

std::vector<Outcome> run_all(const std::string& binary,
                             const std::vector<std::string>& names, int jobs,
                             const Limits& limits, Ending ending) {
  std::vector<Outcome> outcomes(names.size());
  std::map<int, Supervisor> running;  // by the pipe its outcome comes from
  std::size_t next = 0;
  while (next < names.size() || !running.empty()) {
    while (next < names.size() &&
           running.size() < static_cast<std::size_t>(jobs)) {
      int pipe[2];
      checked(::pipe2(pipe, O_CLOEXEC), "pipe2");
      pid_t pid = checked(::fork(), "fork");
      if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        std::string text;
        try {
          text = packed(run_one(binary, names[next], limits, ending));
        } catch (const std::exception& error) {
          ::dprintf(2, "runner: %s: %s\n", names[next].c_str(), error.what());
        }
        for (std::size_t done = 0; done < text.size();) {
          ssize_t n = ::write(pipe[1], text.data() + done, text.size() - done);
          if (n <= 0) break;
          done += static_cast<std::size_t>(n);
        }
        ::_exit(0);
      }
      ::close(pipe[1]);
      running[pipe[0]] = {next++, pid, {}};
    }
    std::vector<pollfd> waited;
    for (auto& [fd, supervisor] : running) waited.push_back({fd, POLLIN, 0});
    ::poll(waited.data(), waited.size(), -1);
    for (const pollfd& ready : waited) {
      if (!ready.revents) continue;
      char buffer[65536];
      ssize_t n = ::read(ready.fd, buffer, sizeof buffer);
      Supervisor& supervisor = running[ready.fd];
      if (n > 0) {
        supervisor.text.append(buffer, static_cast<std::size_t>(n));
        continue;
      }
      ::waitpid(supervisor.pid, nullptr, 0);
      ::close(ready.fd);
      outcomes[supervisor.index] = unpacked(supervisor.text);
      running.erase(ready.fd);
    }
  }
  return outcomes;
}

}  // namespace graded
