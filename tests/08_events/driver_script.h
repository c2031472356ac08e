// A script of what is done to an event, for a driver and its subject.
//
//   on NAME [STEP]      a listener, which takes the step when it is called
//   once NAME [STEP]    one that is called once
//   off NAME, clear, count, emit ARGUMENT, throw WORD
//
// play() returns what happened, one entry for each call and each outcome.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

class Script {
 public:
  using Words = std::vector<std::string>;

  virtual ~Script() = default;

  // Takes words[1], words[2], ...; what a step throws ends that step only.
  Words play(const Words& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      try {
        take(words[i]);
      } catch (const std::runtime_error& error) {
        say(std::string("thrown: ") + error.what());
      }
    }
    return std::move(happened_);
  }

 protected:
  enum class Times { kAlways, kOnce };

  virtual void add(const std::string& name, Times, std::string then) = 0;
  virtual bool off(const std::string& name) = 0;
  virtual void clear() = 0;
  virtual std::size_t count() = 0;
  virtual bool emit(const std::string& argument) = 0;

  void say(const std::string& what) { happened_.push_back(what); }

  // What each listener does.
  void called(const std::string& name, const std::string& argument,
              const std::string& then) {
    say(name + " got " + argument);
    if (!then.empty()) take(then);
  }

 private:
  static std::string first_of(std::string& words) {
    std::string first = words.substr(0, words.find(' '));
    words.erase(0, first.size() + 1);
    return first;
  }

  void take(std::string step) {
    std::string verb = first_of(step), name = first_of(step);
    if (verb == "on") add(name, Times::kAlways, step);
    if (verb == "once") add(name, Times::kOnce, step);
    if (verb == "off") say(off(name) ? "it was there" : "it was not there");
    if (verb == "clear") clear();
    if (verb == "count") say("there are " + std::to_string(count()));
    if (verb == "emit")
      say(emit(name) ? "somebody listened" : "nobody listened");
    if (verb == "throw") throw std::runtime_error(name);
  }

  Words happened_;
};
