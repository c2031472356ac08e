#include "common/testing/graded.h"

#include <algorithm>
#include <cstdlib>

#include "common/testing/channel.h"

namespace graded {
namespace {

std::mutex comparison_mutex;
std::vector<std::string> noted_expected, noted_actual;

// Tells the runner of each failed check while the test still runs, so that a
// crash or a hang later on loses nothing.
class FailureListener : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    std::lock_guard lock(comparison_mutex);
    const char* file = result.file_name() ? result.file_name() : "";
    std::string line = std::to_string(result.line_number());
    if (result.skipped()) {
      channel::send({"skip", result.message()});
    } else if (result.failed()) {
      channel::send({"fail", file, line, result.message(),
                     channel::join_lines(noted_expected),
                     channel::join_lines(noted_actual)});
    }
    noted_expected.clear();
    noted_actual.clear();
  }
};

// See channel::canary().
class Canary : public ::testing::EmptyTestEventListener {
  void OnTestEnd(const ::testing::TestInfo&) override {
    ADD_FAILURE() << channel::kCanary;
  }
};

}  // namespace

void step(std::string_view who, std::string_view what) {
  channel::send({"step", who, what});
}

std::chrono::milliseconds time_left() {
  // Started by hand it has no runner, and nobody is in a hurry.
  static const char* const end = std::getenv(channel::kDeadline);
  if (!end) return std::chrono::hours(24);
  auto left = std::chrono::milliseconds(std::atoll(end)) -
              std::chrono::steady_clock::now().time_since_epoch();
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left),
                  std::chrono::milliseconds(0));
}

std::string errno_name(int number) {
  if (number == 0) return "none";
  const char* name = ::strerrorname_np(number);
  return name ? name : "errno " + std::to_string(number);
}

std::string in_quotes(std::string_view bytes) {
  constexpr std::size_t kLongest = 60, kEnds = 20;  // columns
  auto escaped = [](unsigned char c) -> std::string {
    static const char* hex = "0123456789abcdef";
    if (c == '\n') return "\\n";
    if (c == '\r') return "\\r";
    if (c == '"' || c == '\\') return {'\\', static_cast<char>(c)};
    if (c >= 0x20 && c < 0x7f) return {static_cast<char>(c)};
    return {'\\', 'x', hex[c >> 4], hex[c & 15]};
  };
  std::string head, tail;
  auto c = bytes.begin();
  for (; c != bytes.end() && head.size() <= kLongest; ++c) head += escaped(*c);
  if (c == bytes.end() && head.size() <= kLongest) return '"' + head + '"';
  head.clear();
  for (c = bytes.begin(); head.size() < kEnds; ++c) head += escaped(*c);
  for (auto e = bytes.rbegin(); tail.size() < kEnds && e.base() != c; ++e)
    tail.insert(0, escaped(*e));
  return '"' + head + "\" ... \"" + tail + "\" (" +
         std::to_string(bytes.size()) + " bytes)";
}

void note_comparison(std::vector<std::string> expected,
                     std::vector<std::string> actual) {
  std::lock_guard lock(comparison_mutex);
  noted_expected = std::move(expected);
  noted_actual = std::move(actual);
}

std::string first_difference(std::string_view actual,
                             std::string_view expected) {
  if (std::max(actual.size(), expected.size()) <= 60) return {};
  auto [a, e] = std::mismatch(actual.begin(), actual.end(), expected.begin(),
                              expected.end());
  auto at = static_cast<std::size_t>(a - actual.begin());
  auto near = [&](std::string_view text) {
    return at < text.size() ? in_quotes(text.substr(at, 16)) : "the end";
  };
  return "They differ from byte " + std::to_string(at) + " on: expected " +
         near(expected) + ", got " + near(actual) + ".";
}

::testing::AssertionResult lists_differ(
    const std::vector<std::string>& actual,
    const std::vector<std::string>& expected, const char* what) {
  note_comparison(expected, actual);
  return ::testing::AssertionFailure()
         << what << " is " << ::testing::PrintToString(actual) << ", expected "
         << ::testing::PrintToString(expected) << "\n";
}

::testing::AssertionResult differs(std::string actual, std::string expected,
                                   const char* what, std::string where) {
  note_comparison({expected}, {actual});
  auto result = ::testing::AssertionFailure();
  result << what << " is " << actual << ", expected " << expected;
  if (!where.empty()) result << "\n" << where;
  return result << "\n";
}

void Trace::push(std::string event) {
  std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
}

std::vector<std::string> Trace::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

::testing::AssertionResult Trace::is(std::vector<std::string> expected) const {
  std::vector<std::string> actual = events();
  if (actual == expected) return ::testing::AssertionSuccess();
  std::vector<std::string> a = actual, e = expected;
  std::sort(a.begin(), a.end());
  std::sort(e.begin(), e.end());
  const char* how = a == e ? "the events came, but in another order"
                    : actual.size() < expected.size()
                        ? "some events are missing"
                    : actual.size() > expected.size() ? "there are more events"
                                                      : "other events came";
  note_comparison(std::move(expected), std::move(actual));
  return ::testing::AssertionFailure() << how << "\n";
}

// Linked into every graded test binary in place of gtest_main.
int run_tests(int argc, char** argv) {
  int pass_status = channel::start();
  ::testing::InitGoogleTest(&argc, argv);
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  listeners.Append(new FailureListener);
  if (channel::canary()) listeners.Append(new Canary);
  // The runner says it better; what is printed is then the code's own.
  if (channel::is_open())
    delete listeners.Release(listeners.default_result_printer());
  bool passed = RUN_ALL_TESTS() == 0 &&
                ::testing::UnitTest::GetInstance()->test_to_run_count() > 0;
  if (!channel::close(passed)) return channel::kBroken;
  return passed ? pass_status : 1;
}

}  // namespace graded

int main(int argc, char** argv) {
  return graded::run_tests(argc, argv);
}
