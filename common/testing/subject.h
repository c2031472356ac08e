// A driver's side of a test from outside. The code under test is in another
// process, the subject; here is none of it. What the driver sees on the wire,
// nobody else can have written.
//
//   Subject subject;
//   TcpPair pair;
//   subject.begin({"send", "hello"}, {pair.theirs});
//   EXPECT_IS(pair.ours.receive(5), "hello");
//   EXPECT_IS(subject.answer(), Words{"true"});
#pragma once

#include <sys/types.h>

#include "common/testing/commands.h"
#include "common/testing/fault.h"

namespace graded {

class Subject {
 public:
  Subject();   // starts the program that GRADED_SUBJECT names
  ~Subject();  // and ends it

  // Tells it what to do; it gets copies of the descriptors.
  void begin(const Words& words, const std::vector<int>& fds = {});
  Words answer();  // waits for it
  Words ask(const Words& words, const std::vector<int>& fds = {});

  // Waits until the code has begun and waits in a call.
  void wait_until_it_waits();
  // Sends it a signal, and waits until the signal has been handled.
  void interrupt();

  std::vector<std::string> descriptors() const;  // their numbers
  // From now on it gets EMFILE for a new one; and no longer.
  void allow_no_more_descriptors();
  void allow_descriptors();
  // The flags of its descriptor, as open(2) has them.
  int flags(int fd) const;

 private:
  Unwatched ours_;  // no call of a driver is the code's
  int socket_ = -1;
  pid_t pid_ = -1;
};

// "127.0.0.1:80"
std::string at(std::uint16_t port);

}  // namespace graded
