// What a driver can ask of chapter 10's code: a script of what is done to a
// socket, and when.
//
//   play STEP...   runs a loop until the socket has closed; then its events
//   do STEP...     meanwhile: at once, in the loop
//
// A step begins with the event that it waits for: "now", "on end", "on data".
// Then comes "connect PORT [SOURCE]", "path PATH", "adopt", "adopt half-open",
// "write TEXT TIMES", "end TEXT", "echo", "pause", "resume", "destroy",
// "destroy-soon", "reset", or "hear": a data listener that does nothing else.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sstream>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/07_event_loop/event_loop.h"
#include "chapters/09_streams/transport.h"
#include "chapters/10_socket/socket.h"
#include "common/testing/commands.h"

using namespace graded;

namespace {

class Player {
 public:
  explicit Player(const Order& order) : order_(order) {}

  Words play() {
    for (std::size_t i = 1; i < order_.words.size(); ++i) plan(order_.word(i));
    take_all("now", "");
    listen();
    loop_.watch(STDIN_FILENO, POLLIN, [this](short) {
      for (const std::string& step : receive_words(STDIN_FILENO).words)
        if (step != "do") take(step, "");
    });
    loop_.unref(STDIN_FILENO);
    loop_.run();
    return happened_;
  }

 private:
  void plan(const std::string& step) {
    std::istringstream words(step);
    std::string when, rest;
    words >> when;
    if (when == "on") words >> when;
    std::getline(words >> std::ws, rest);
    then_[when].push_back(rest);
  }

  void listen() {
    net::Socket& socket = *socket_;
    socket.on_connect([this] { happens("connect"); });
    socket.on_end([this] { happens("end"); });
    socket.on_finish([this] { happens("finish"); });
    socket.on_drain([this] { happens("drain"); });
    socket.on_error(
        [this](const net::Error& error) { happens("error", error.code); });
    socket.on_close([this](bool had_error) {
      happens("close", had_error ? "after an error" : "");
    });
    if (then_.count("data"))
      socket.on_data([this](std::string_view bytes) { data(bytes); });
  }

  void happens(const std::string& event, const std::string& more = "") {
    happened_.push_back(event + (more.empty() ? "" : " " + more));
    take_all(event, more);
  }

  // What comes in a row is one event.
  void data(std::string_view bytes) {
    if (happened_.empty() || happened_.back().rfind("data ", 0) != 0)
      happened_.push_back("data ");
    happened_.back() += bytes.substr(0, 1000);
    take_all("data", bytes);
  }

  void take_all(const std::string& event, std::string_view data) {
    for (const std::string& step : then_[event]) take(step, data);
  }

  void take(const std::string& step, std::string_view data) {
    std::istringstream words(step);
    std::string verb, first, second;
    words >> verb >> first >> second;
    if (verb == "connect")
      socket_ = net::connect(loop_, {.host = "127.0.0.1",
                                     .port = std::stoi(first),
                                     .local_address = second});
    if (verb == "path") socket_ = net::connect(loop_, first);
    if (verb == "adopt") adopt(first == "half-open");
    if (verb == "write")
      for (int n = std::stoi(second); n > 0; --n) socket_->write(first);
    if (verb == "end") socket_->end(first);
    if (verb == "echo") socket_->write(data);
    if (verb == "pause") socket_->pause();
    if (verb == "resume") socket_->resume();
    if (verb == "destroy") socket_->destroy();
    if (verb == "destroy-soon") socket_->destroy_soon();
    if (verb == "reset") socket_->reset_and_destroy();
  }

  void adopt(bool half_open) {
    net::Fd fd(::fcntl(order_.fd(0), F_DUPFD_CLOEXEC, 3));
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    ::close(order_.fd(0));  // nothing but the socket holds it open
    socket_ = net::Socket::adopt(
        loop_, std::make_unique<net::FdTransport>(std::move(fd)),
        {.allow_half_open = half_open});
  }

  const Order& order_;
  net::EventLoop loop_;
  std::shared_ptr<net::Socket> socket_;
  std::map<std::string, Words> then_;
  Words happened_;
};

}  // namespace

int main() {
  return obey({{"play", [](const Order& order) -> Words {
                  return Player(order).play();
                }}});
}
