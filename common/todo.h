// TODO("07.2", "what is missing") marks a step that you have not written yet.
// It throws, so that the test which needs the step says which one it is.
#pragma once

#include <stdexcept>
#include <string>

namespace todo {

struct NotYet : std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] inline void not_yet(const char* step, const char* what,
                                 const char* file) {
  throw NotYet(std::string("TODO ") + step + ": " + what + "  (" + file + ")");
}

}  // namespace todo

#define TODO(step, what) ::todo::not_yet(step, what, __FILE__)
