// The line from a test's process to the runner that started it. Without a
// runner (the binary was started by hand) everything here does nothing.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace graded::channel {

// The descriptor number is in this variable of the environment.
inline constexpr char kVariable[] = "GRADED_CHANNEL";
// The end of the test's time: milliseconds of the steady clock.
inline constexpr char kDeadline[] = "GRADED_DEADLINE";

// The descriptor and the runner's key are taken before any constructor of the
// code under test runs, and hidden from what runs later.
bool is_open();

// Begins the report. Returns the exit status that only a pass may have.
int start();

// Whether this run is to fail: every test gets a failure after its body. Code
// that makes a pass of that forges its verdicts.
bool canary();
inline constexpr char kCanary[] = "the canary";

// Sends one message: fields joined by tabs, on one line, whole. Thread-safe.
// False when the runner cannot be reached any more.
bool send(std::initializer_list<std::string_view> fields);

// Ends the test's report; the runner believes no other end. False: the line is
// broken, and the process should say so by its exit status.
bool close(bool passed);
inline constexpr int kBroken = 3;

// One field <-> one line: tab, newline and backslash as \t, \n and \\.
std::string escape(std::string_view text);
std::string unescape(std::string_view text);
std::string join_lines(const std::vector<std::string>& lines);

}  // namespace graded::channel
