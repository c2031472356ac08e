// What a graded test is written with.
//
//   TEST(Client, ReceivesUntilTheEnd) {
//     RULE("RECV-1");
//     Peer peer([](Connection& client) {
//       client.send("hello");
//       client.finish();
//     });
//     int fd = peer.connected_descriptor();
//     std::string got;
//
//     bool clean = net::receive_all(fd, got);
//
//     EXPECT_IS(clean, true) << "The peer ended in order.";
//     EXPECT_IS(got, "hello") << "This is what the peer sent.";
//   }
#pragma once

#include <chrono>
#include <cstring>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

// Names the rule of the chapter's README that this test checks. Its words,
// points and hints stay there. One per test, as its first line.
#define RULE(id) ::testing::Test::RecordProperty("rule", id)

// Compares, and shows both values to the learner. Say in a whole sentence why
// the expected value is the right one.
#define EXPECT_IS(actual, expected) \
  EXPECT_PRED_FORMAT2(::graded::is, actual, expected)
#define ASSERT_IS(actual, expected) \
  ASSERT_PRED_FORMAT2(::graded::is, actual, expected)

namespace graded {

// Adds a line to the time line that a failure shows: `who` did `what`.
void step(std::string_view who, std::string_view what);

// What is left of the time that the runner gives this test. Whoever waits until
// it is over can still say what for: a little later the process is killed.
std::chrono::milliseconds time_left();

// The name of an errno value: "ECONNREFUSED", "none" for 0. With errno itself,
// call it before anything else can change it.
std::string errno_name(int number);

// Text for people: quoted, control bytes escaped, long data cut in the middle.
std::string in_quotes(std::string_view bytes);

// Both sides of a failed comparison, a line per event, for the failure that is
// reported next.
void note_comparison(std::vector<std::string> expected,
                     std::vector<std::string> actual);

// Two long strings: a line that says where they begin to differ.
std::string first_difference(std::string_view actual,
                             std::string_view expected);

template <typename T>
std::string show(const T& value) {
  if constexpr (std::is_convertible_v<T, std::string_view>)
    return in_quotes(value);
  else
    return ::testing::PrintToString(value);
}

::testing::AssertionResult differs(std::string actual, std::string expected,
                                   const char* what, std::string where = {});

::testing::AssertionResult lists_differ(
    const std::vector<std::string>& actual,
    const std::vector<std::string>& expected, const char* what);

template <typename Actual, typename Expected>
::testing::AssertionResult is(const char* what, const char*,
                              const Actual& actual, const Expected& expected) {
  if (actual == expected) return ::testing::AssertionSuccess();
  if constexpr (std::is_same_v<Actual, std::vector<std::string>>)
    return lists_differ(actual, expected, what);
  std::string where;
  if constexpr (std::is_convertible_v<Actual, std::string_view> &&
                std::is_convertible_v<Expected, std::string_view>)
    where = first_difference(actual, expected);
  return differs(show(actual), show(expected), what, where);
}

// Events in the order they came, from any thread.
//
//   EXPECT_TRUE(trace.is({"connect", "data hello", "end"}));
class Trace {
 public:
  template <typename... Parts>
  void add(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    push(text.str());
  }

  std::vector<std::string> events() const;

  // Fails with two columns: what was expected, and what happened.
  ::testing::AssertionResult is(std::vector<std::string> expected) const;

 private:
  void push(std::string event);
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

}  // namespace graded
