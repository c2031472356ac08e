#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "chapters/10_socket/state.h"

namespace net {
namespace {

using std::chrono::milliseconds;

// The endpoint, if `host` is an address and no name.
std::optional<Endpoint> literal(const std::string& host, int port) {
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
void check(const ConnectOptions& options) {
  if (!options.path.empty()) return;
  if (!options.port)
    throw UsageError("ERR_MISSING_ARGS", "a port or a path (CONN-16)");
  for (int port : {*options.port, options.local_port}) {
    if (port < 0 || port > 65535)
      throw UsageError("ERR_SOCKET_BAD_PORT",
                       std::to_string(port) + " is no port (CONN-15)");
  }
  const std::string& local = options.local_address;
  if (!local.empty() && !literal(local, 0))
    throw UsageError("ERR_INVALID_IP_ADDRESS", "\"" + local + "\"");
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
  // 10.1: make_shared(), which takes one piece of memory, has to see a
  // constructor.
  struct Seen : Socket {
    Seen(EventLoop& loop, ConnectOptions options)
        : Socket(loop, std::move(options)) {}
  };
  return std::make_shared<Seen>(loop, std::move(options));
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

void Socket::State::connect(ConnectOptions wanted) {
  if (phase != Phase::kNew && phase != Phase::kClosed)
    throw UsageError("EALREADY", "connect() before the last one is over");
  // 10.1: counters and all begin anew; the settings stay (CNT-5).
  if (phase == Phase::kClosed) c = Connection(options.high_water_mark);
  if (encoding) c.decoder = std::make_unique<TextDecoder>(*encoding);
  options.no_delay |= wanted.no_delay;
  if (wanted.keep_alive) {
    options.keep_alive = true;
    options.keep_alive_initial_delay = wanted.keep_alive_initial_delay;
  }
  if (wanted.host.empty()) wanted.host = "localhost";
  phase = Phase::kConnecting;
  attempt.reset(new Attempt{std::move(wanted)});
  hold();
  stay();
  if (attempt->options.timeout > milliseconds::zero())
    self.set_timeout(attempt->options.timeout);
  touch();
  defer(&State::look_up);
}

// There is no descriptor to watch. A timer has the keeper until there is.
void Socket::State::stay() {
  keeping = loop.set_interval(std::chrono::hours(24), [kept = keep()] {});
  loop.unref(keeping);
}

void Socket::State::look_up() {
  const ConnectOptions& wanted = attempt->options;
  if (!wanted.path.empty()) {
    try {
      return try_all({Endpoint::parse("unix:" + wanted.path)});
    } catch (const std::invalid_argument&) {  // too long, or a zero byte
      Error error = Error::from_errno(ENOENT, "connect", wanted.path);
      error.address = wanted.path;
      return destroy(std::move(error));
    }
  }
  if (auto endpoint = literal(wanted.host, *wanted.port))
    return try_all({*endpoint});
  attempt->lookup.emplace(
      loop, wanted.host, *wanted.port, wanted.family,
      [this](std::vector<Endpoint> found, std::optional<Error> error) {
        looked_up(std::move(found), std::move(error));
      });
}

void Socket::State::looked_up(std::vector<Endpoint> found,
                              std::optional<Error> error) {
  std::string host = attempt->options.host;
  if (error) {
    self.on_lookup.emit(&*error, "", 0, host);
    return destroy(std::move(error));
  }
  for (const Endpoint& it : found) {
    int family = it.family() == AF_INET ? 4 : 6;
    self.on_lookup.emit(nullptr, it.host(), family, host);
    // 10.1: any listener may have destroyed the socket.
    if (phase != Phase::kConnecting) return;
  }
  try_all(std::move(found));
}

void Socket::State::try_all(std::vector<Endpoint> endpoints) {
  const ConnectOptions& wanted = attempt->options;
  attempt->connector.emplace(loop, std::move(endpoints), wanted.local_address,
                             wanted.local_port,
                             [this](Fd fd, std::optional<Error> error) {
                               if (error) return destroy(std::move(error));
                               connected(std::move(fd));
                             });
}

void Socket::State::connected(Fd fd) {
  auto alive = self.shared_from_this();
  bool reset = attempt->reset_when_connected;
  attempt.reset();
  begin(self.layer(std::make_unique<FdTransport>(std::move(fd))));
  touch();
  defer(&State::start);
  self.on_connect.emit();
  if (reset && open()) self.reset_and_destroy();
  if (open()) self.on_ready.emit();
}

// A connection is there. It is watched from now on, for nothing yet.
void Socket::State::begin(std::unique_ptr<Transport> transport) {
  c.transport = std::move(transport);
  c.agreed = !c.transport->needs_handshake();
  phase = Phase::kOpen;
  hold();
  int fd = c.transport->fd();
  loop.watch(fd, 0, [this, kept = keep()](short events) { ready(events); });
  loop.unref(fd);  // hold() has a word in this, not the watch
  loop.clear_timer(std::exchange(keeping, TimerId::kNone));
  if (options.no_delay) apply_no_delay();
  if (options.keep_alive) apply_keep_alive();
}

Socket& Socket::destroy(std::optional<Error> error) {
  state_->destroy(std::move(error));
  return *this;
}

void Socket::State::destroy(std::optional<Error> error) {
  if (gone()) return;
  std::shared_ptr<Keeper> kept = keep();
  if (open()) loop.unwatch(c.transport->fd());
  phase = Phase::kClosing;
  hold();
  attempt.reset();
  if (c.transport) c.transport->close();
  loop.clear_timer(std::exchange(keeping, TimerId::kNone));
  loop.clear_timer(std::exchange(idle_timer, TimerId::kNone));
  c.unread.clear();
  // 10.5: a task each. An error that nobody listens to leaves run() as an
  // exception (EVT-4), and `close` comes all the same.
  fail_callbacks(error);
  if (error)
    loop.defer([kept, error] { emit_error(kept->socket->on_error, *error); });
  loop.defer([kept, had_error = error.has_value()] {
    kept->socket->state_->emit_close(had_error);
  });
}

void Socket::State::emit_close(bool had_error) {
  phase = Phase::kClosed;
  // A turn later, so that a `close` listener can connect again: then it has a
  // share of the keeper, too.
  loop.set_timeout({}, [kept = keep()] {});
  self.on_close.emit(had_error);
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
  bool wanted = alive() && referenced;
  if (wanted == held) return;
  held = wanted;
  wanted ? loop.hold() : loop.release();
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

// Also right: a class for each phase; the watch's own ref() and unref() in
// place of hold(); a registry of all sockets in place of the keepers.

}  // namespace net
