#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "chapters/10_socket/state.h"
#include "common/todo.h"

namespace net {
namespace {

using std::chrono::milliseconds;

// The endpoint, if `host` is an address and no name.
[[maybe_unused]] std::optional<Endpoint> literal(const std::string& host,
                                                 int port) {
  in_addr v4;
  bool v6 = host.find(':') != std::string::npos;
  if (!v6 && ::inet_pton(AF_INET, host.c_str(), &v4) != 1) return std::nullopt;
  std::string text = v6 ? "[" + host + "]" : host;
  try {
    return Endpoint::parse(text + ":" + std::to_string(port));
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

// What no system has to be asked about (CONN-15, CONN-16).
void check(const ConnectOptions&) {
  TODO("10.1", "UsageError for what cannot be");
}

// Takes all that is written.
struct Collector : Transport {
  std::string bytes;
  IoResult write(std::span<const std::string_view> pieces) override {
    IoResult result;
    for (std::string_view piece : pieces) {
      bytes += piece;
      result.bytes += piece.size();
    }
    return result;
  }
  IoResult read(std::span<char>) override { return {.kind = IoResult::kEnd}; }
  IoResult shutdown_write() override { return {.kind = IoResult::kEnd}; }
  int fd() const override { return -1; }
  void close() override {}
};

}  // namespace

// The loop has callbacks, and they share this. When the last of them is gone,
// because the connection is over or the loop is, the listeners go too: one of
// them may hold the socket, and so itself.
struct Socket::State::Keeper {
  std::shared_ptr<Socket> socket;
  explicit Keeper(std::shared_ptr<Socket> socket) : socket(std::move(socket)) {}
  ~Keeper() { socket->state_->forgotten(); }
};

Socket::Socket(EventLoop& loop, ConnectOptions options)
    : state_(new State{.self = *this,
                       .loop = loop,
                       .options = State::Settings(options),
                       .c = State::Connection(options.high_water_mark)}) {
  on_data.when_added([this] {
    if (state_->flow == State::Flow::kUndecided) resume();
  });
}

Socket::~Socket() = default;

std::shared_ptr<Socket> Socket::create(EventLoop& loop,
                                       ConnectOptions options) {
  return std::shared_ptr<Socket>(new Socket(loop, std::move(options)));
}

std::shared_ptr<Socket> Socket::adopt(EventLoop& loop,
                                      std::unique_ptr<Transport> transport,
                                      ConnectOptions options) {
  std::shared_ptr<Socket> socket = create(loop, std::move(options));
  socket->adopt(std::move(transport));
  return socket;
}

void Socket::adopt(std::unique_ptr<Transport> transport) {
  state_->begin(std::move(transport));
  // 10.1: later, so that whoever gets the socket can pause it first (ACC-5).
  state_->defer(&State::start);
}

Socket& Socket::connect(ConnectOptions options,
                        std::function<void()> connected) {
  check(options);
  state_->connect(std::move(options));
  if (connected) on_connect.once(std::move(connected));
  return *this;
}

Socket& Socket::connect(int port, std::string host,
                        std::function<void()> connected) {
  ConnectOptions options;
  options.port = port;
  options.host = std::move(host);
  return connect(std::move(options), std::move(connected));
}

void Socket::State::connect(ConnectOptions) {
  TODO("10.1", "check, begin anew, hold the loop; the rest is deferred");
}

// There is no descriptor to watch. A timer has the keeper until there is.
void Socket::State::stay() {
  keeping = loop.set_interval(std::chrono::hours(24), [kept = keep()] {});
  loop.unref(keeping);
}

void Socket::State::look_up() {
  TODO("10.1", "a path, an address, or a name?");
}

void Socket::State::looked_up(std::vector<Endpoint>, std::optional<Error>) {
  TODO("10.1", "tell the listeners of lookup, then try them all");
}

void Socket::State::try_all(std::vector<Endpoint>) {
  TODO("10.1", "one Connector for all the endpoints");
}

void Socket::State::connected(Fd) {
  TODO("10.1", "begin with a layer, then connect and ready; 10.2: then start");
}

// A connection is there. It is watched from now on, for nothing yet.
void Socket::State::begin(std::unique_ptr<Transport>) {
  TODO("10.1", "watch the transport; 10.7: what was set before");
}

Socket& Socket::destroy(std::optional<Error> error) {
  state_->destroy(std::move(error));
  return *this;
}

void Socket::State::destroy(std::optional<Error>) {
  TODO("10.1", "close all, then error and close, later; 10.5: callbacks");
}

void Socket::State::emit_close(bool) {
  TODO("10.1", "the last event; one turn later, no listeners");
}

void Socket::forget_listeners() {
  on_lookup.clear();
  on_connect.clear();
  on_ready.clear();
  on_data.clear();
  on_end.clear();
  on_drain.clear();
  on_finish.clear();
  on_timeout.clear();
  on_error.clear();
  on_close.clear();
}

Socket::Connection Socket::hand_over() {
  if (!state_->open() || !state_->c.agreed)
    throw UsageError("ERR_SOCKET_CLOSED", "hand_over() without a connection");
  return state_->hand_over();
}

Socket::Connection Socket::State::hand_over() {
  remote();  // remembered: a `close` listener may ask for it
  stay();
  loop.unwatch(c.transport->fd());
  loop.clear_timer(std::exchange(idle_timer, TimerId::kNone));
  phase = Phase::kHandedOver;
  hold();
  c.reading = false;
  Collector rest;
  c.queue.flush(rest);
  c.queue.take_drain();  // nobody is asked to write more
  defer_written();
  return {.transport = std::move(c.transport),
          .unread = std::exchange(c.unread, {}),
          .unsent = std::move(rest.bytes)};
}

// An open socket keeps run() going, whatever it waits for, or for nothing: a
// paused one does, too.
void Socket::State::hold() {
  TODO("10.1", "run() goes on while it lives; 10.6: unless unref()");
}

std::shared_ptr<Socket::State::Keeper> Socket::State::keep() {
  std::shared_ptr<Keeper> kept = keeper.lock();
  if (!kept) {
    kept = std::make_shared<Keeper>(self.shared_from_this());
    keeper = kept;
  }
  return kept;
}

// Whatever could hold the socket goes. If the loop is being destroyed, the
// connection is closed without a word.
void Socket::State::forgotten() {
  phase = Phase::kClosed;
  hold();
  attempt.reset();
  if (c.transport) c.transport->close();
  loop.clear_timer(std::exchange(idle_timer, TimerId::kNone));
  c.queue.take_dropped();
  c.done.clear();
  c.end_callbacks.clear();
  self.forget_listeners();
}

void Socket::State::defer(void (State::*step)()) {
  loop.defer([alive = self.shared_from_this(), step] {
    if (!alive->state_->gone()) (*alive->state_.*step)();
  });
}

std::shared_ptr<Socket> connect(EventLoop& loop, ConnectOptions options,
                                std::function<void()> connected) {
  std::shared_ptr<Socket> socket = Socket::create(loop, options);
  socket->connect(std::move(options), std::move(connected));
  return socket;
}

std::shared_ptr<Socket> connect(EventLoop& loop, int port, std::string host,
                                std::function<void()> connected) {
  ConnectOptions options;
  options.port = port;
  options.host = std::move(host);
  return connect(loop, std::move(options), std::move(connected));
}

}  // namespace net
