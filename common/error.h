// Error: what went wrong, once a loop runs and nobody is there to throw to.
//
//   socket->on_error([](const net::Error& error) {
//     if (error.code == "ECONNREFUSED") try_again_later();
//     std::cerr << error.message << "\n";  // connect ECONNREFUSED 127.0.0.1:80
//   });
#pragma once

#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace net {

// A value. Also an exception, for an error that nobody listens to (EVT-4).
struct Error : std::exception {
  Error() = default;
  // With a code of its own: "ERR_STREAM_DESTROYED", "ENOTFOUND".
  Error(std::string code, std::string message)
      : code(std::move(code)), message(std::move(message)) {}

  // `call` failed with this errno value, on `operand`:
  // "listen EADDRINUSE 127.0.0.1:80".
  static Error from_errno(int number, std::string call,
                          const std::string& operand = "") {
    const char* name = ::strerrorname_np(number);
    std::string code = name ? name : "E" + std::to_string(number);
    std::string message = call + " " + code;
    if (!operand.empty()) message += " " + operand;
    Error error(std::move(code), std::move(message));
    error.number = number;
    error.syscall = std::move(call);
    return error;
  }

  const char* what() const noexcept override { return message.c_str(); }

  std::string code;     // "ECONNREFUSED", as in errno(3), or Node's "ERR_..."
  int number = 0;       // the errno value; 0 if the system has no part in it
  std::string syscall;  // "connect", "getaddrinfo"; "" if none failed
  std::string address;  // "127.0.0.1", "/run/x.sock"; "" if none is involved
  int port = 0;
  std::string message;  // for people
};

// The caller broke a precondition: thrown at once, by the call itself.
struct UsageError : std::logic_error {
  UsageError(std::string code, const std::string& why)
      : std::logic_error(code + ": " + why), code(std::move(code)) {}
  std::string code;  // Node's: "ERR_SOCKET_BAD_PORT"
};

// A callback that is told whether it went well: a null pointer, or what went
// wrong, to be looked at during the call only. One that takes no argument is
// fine, too:
//
//   socket->write("hello", [](const net::Error* error) { ... });
//   socket->end("bye", [] { ... });
class Callback {
 public:
  Callback() = default;  // nobody to call
  Callback(std::nullptr_t) {}

  template <typename F>
  requires(!std::is_same_v<std::decay_t<F>, Callback> &&
           (std::is_invocable_v<F&, const Error*> || std::is_invocable_v<F&>))
      Callback(F&& function) {
    if constexpr (std::is_invocable_v<F&, const Error*>)
      call_ = std::forward<F>(function);
    else
      call_ = [function = std::forward<F>(function)](const Error*) mutable {
        function();
      };
  }

  explicit operator bool() const { return static_cast<bool>(call_); }
  void operator()(const Error* error) const {
    if (call_) call_(error);
  }

 private:
  std::function<void(const Error*)> call_;
};

}  // namespace net
