// Another way to write a Socket. One file and no state.h; a registry per loop
// keeps the open sockets; what nobody wants to read stays in the kernel, which
// is only peeked at; each callback is a task of its own; the idle timer is made
// anew with all traffic.
#include "chapters/10_socket/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chapters/01_addresses/endpoint.h"
#include "common/eai_name.h"

namespace net {
namespace {

using std::chrono::milliseconds;

std::string bracketed(const std::string& host) {
  return host.find(':') == host.npos ? host : "[" + host + "]";
}

std::optional<Endpoint> parse(const std::string& text) {
  try {
    return Endpoint::parse(text);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

Error failed(const char* call, const Endpoint& end, int number = errno) {
  bool unix_path = end.family() == AF_UNIX;
  Error error =
      Error::from_errno(number, call, unix_path ? end.path() : end.to_string());
  error.address = unix_path ? end.path() : end.host();
  error.port = end.port();
  return error;
}

Error gone_error(const char* what) {
  return Error("ERR_STREAM_DESTROYED", std::string("Cannot call ") + what +
                                           " after a stream was destroyed");
}

struct Answer {
  std::vector<Endpoint> found = {};
  std::optional<Error> error = {};
};

Answer look_up(const std::string& host, int port, int family) {
  Answer answer;
  std::string code = "ENOTFOUND";
  try {
    for (const Endpoint& it : resolve(host, std::to_string(port)))
      if (family == 0 || (family == 6) == (it.family() == AF_INET6))
        answer.found.push_back(it);
  } catch (const ResolveError& error) {
    if (error.code != EAI_NONAME && error.code != EAI_NODATA)
      code = eai_name(error.code);
  } catch (const std::exception&) {
  }
  if (!answer.found.empty()) return answer;
  answer.error = Error(code, "getaddrinfo " + code + " " + host);
  answer.error->syscall = "getaddrinfo";
  return answer;
}

// Room for all that is written.
struct Sink : Transport {
  std::string all;
  IoResult read(std::span<char>) override { return {.kind = IoResult::kEnd}; }
  IoResult shutdown_write() override { return {.kind = IoResult::kEnd}; }
  int fd() const override { return -1; }
  void close() override {}
  IoResult write(std::span<const std::string_view> pieces) override {
    std::size_t before = all.size();
    for (std::string_view piece : pieces) all += piece;
    return {.bytes = all.size() - before};
  }
};

// Who is tried when: the families in turn.
std::deque<Endpoint> in_turn(const std::vector<Endpoint>& endpoints) {
  std::deque<Endpoint> lines[2], order;
  for (const Endpoint& it : endpoints)
    lines[it.family() != endpoints[0].family()].push_back(it);
  while (!lines[0].empty() || !lines[1].empty()) {
    for (auto& line : lines) {
      if (line.empty()) continue;
      order.push_back(line.front());
      line.pop_front();
    }
  }
  return order;
}

}  // namespace

struct Socket::State {
  enum Phase { kNew, kConnecting, kOpen, kGiven, kClosing, kClosed };
  enum Flow { kUndecided, kFlowing, kPaused };
  enum Half { kGoes, kAsked, kOver };  // our direction: end(), and finish

  Socket& self;
  EventLoop& loop;
  ConnectOptions options;
  Phase phase = kNew;
  Flow flow = kUndecided;
  bool referenced = true, holds = false;
  std::optional<Encoding> encoding = {};
  std::optional<milliseconds> idle = {};
  TimerId idle_timer = TimerId::kNone;
  ListenerId idle_listener = 0;

  // An attempt to connect; callbacks that find it gone do nothing.
  struct Dial {
    ConnectOptions to;
    std::deque<Endpoint> left = {};
    Fd fd = {};
    TimerId timer = TimerId::kNone;
    std::optional<Error> first = {};
    bool reset = false;
  };
  std::shared_ptr<Dial> dial = {};

  struct Line {
    explicit Line(std::size_t mark) : queue(mark) {}
    std::unique_ptr<Transport> transport = {};
    std::optional<Endpoint> remote = {};
    std::optional<TextDecoder> decoder = {};
    WriteQueue queue;
    Half out = kGoes;
    bool agreed = false;  // the transport's handshake is over
    // What poll() is asked for: to agree, to read, to write.
    short wants[3] = {0, POLLIN, POLLOUT};
    bool reads = false, bytes_wait = false, at_end = false, soon = false;
    bool shutting = false;
    std::vector<Callback> ends = {};
    std::uint64_t in_count = 0, out_count = 0;
  };
  Line line{options.high_water_mark};

  bool over() const { return phase >= kClosing; }

  // All the sockets that a loop keeps alive. The loop has it, in a timer.
  struct Registry {
    std::set<std::shared_ptr<Socket>> sockets;
    ~Registry() {
      auto all = std::exchange(sockets, {});
      for (const auto& it : all) it->state_->forget();
    }
  };

  std::shared_ptr<Registry> registry() {
    static thread_local std::map<EventLoop*, std::weak_ptr<Registry>> all;
    std::weak_ptr<Registry>& weak = all[&loop];
    std::shared_ptr<Registry> it = weak.lock();
    if (!it) {
      weak = it = std::make_shared<Registry>();
      loop.unref(loop.set_interval(std::chrono::hours(1000), [it] {}));
    }
    return it;
  }

  void forget() {
    set_phase(kClosed);
    drop_dial();
    loop.clear_timer(idle_timer);
    if (line.transport) line.transport->close();
    line.queue.take_dropped();
    line.ends.clear();
    self.forget_listeners();
  }

  void set_phase(Phase now) {
    phase = now;
    bool wanted = referenced && (phase == kConnecting || phase == kOpen);
    if (wanted == holds) return;
    holds = wanted;
    if (holds)
      loop.hold();
    else
      loop.release();
  }

  template <typename F>
  void later(F step) {
    loop.defer([alive = self.shared_from_this(), step] { step(); });
  }

  // ---- connecting

  void connect(ConnectOptions to) {
    if (phase != kNew && phase != kClosed)
      throw UsageError("EALREADY", "connect() before the last one is over");
    if (phase == kClosed) line = Line(options.high_water_mark);
    if (encoding) line.decoder.emplace(*encoding);
    options.no_delay = options.no_delay || to.no_delay;
    if (to.keep_alive) {
      options.keep_alive = true;
      options.keep_alive_initial_delay = to.keep_alive_initial_delay;
    }
    if (to.host.empty()) to.host = "localhost";
    dial = std::make_shared<Dial>(Dial{std::move(to)});
    registry()->sockets.insert(self.shared_from_this());
    set_phase(kConnecting);
    if (dial->to.timeout.count() > 0) self.set_timeout(dial->to.timeout);
    touch();
    later([this, it = dial] {
      if (it == dial) find_endpoints();
    });
  }

  void find_endpoints() {
    if (!dial->to.path.empty()) {
      auto end = parse("unix:" + dial->to.path);
      if (end) return dial_all({*end});
      return destroy(Error::from_errno(ENOENT, "connect", dial->to.path));
    }
    std::string port = std::to_string(*dial->to.port);
    if (auto end = parse(bracketed(dial->to.host) + ":" + port))
      return dial_all({*end});
    std::weak_ptr<Dial> weak = dial;
    std::thread([this, weak, poster = loop.poster(), host = dial->to.host,
                 number = *dial->to.port, family = dial->to.family] {
      Answer answer = look_up(host, number, family);
      poster([this, weak, host, answer] {
        if (auto it = weak.lock()) looked_up(it, host, answer);
      });
    }).detach();
  }

  void looked_up(std::shared_ptr<Dial> it, const std::string& host,
                 const Answer& answer) {
    if (answer.error) self.on_lookup.emit(&*answer.error, "", 0, host);
    if (answer.error) return destroy(answer.error);
    for (const Endpoint& end : answer.found) {
      self.on_lookup.emit(nullptr, end.host(), end.family() == AF_INET ? 4 : 6,
                          host);
      if (it != dial) return;
    }
    dial_all(answer.found);
  }

  void dial_all(const std::vector<Endpoint>& endpoints) {
    dial->left = in_turn(endpoints);
    dial_next();
  }

  void dial_next() {
    while (!dial->left.empty()) {
      Endpoint end = dial->left.front();
      dial->left.pop_front();
      std::optional<Error> error = dial_one(end);
      if (!error) return;
      give_up(*error);
    }
    destroy(dial->first);
  }

  void give_up(const Error& error) {
    if (!dial->first) dial->first = error;
    hang_up();
  }

  Fd hang_up() {
    if (dial->fd) loop.unwatch(dial->fd.get());
    loop.clear_timer(std::exchange(dial->timer, TimerId::kNone));
    return std::move(dial->fd);
  }

  void drop_dial() {
    if (dial) hang_up();
    dial.reset();
  }

  std::optional<Error> dial_one(const Endpoint& end) {
    int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    dial->fd = Fd(::socket(end.family(), kind, 0));
    if (!dial->fd) return failed("connect", end);
    const ConnectOptions& to = dial->to;
    if (end.family() != AF_UNIX &&
        (!to.local_address.empty() || to.local_port != 0)) {
      std::string any = end.family() == AF_INET ? "0.0.0.0" : "::";
      Endpoint local = Endpoint::parse(
          bracketed(to.local_address.empty() ? any : to.local_address) + ":" +
          std::to_string(to.local_port));
      int on = 1;
      ::setsockopt(dial->fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      if (::bind(dial->fd.get(), local.address(), local.size()) < 0)
        return failed("bind", local);
    }
    if (::connect(dial->fd.get(), end.address(), end.size()) < 0 &&
        errno != EINPROGRESS && errno != EINTR)
      return failed("connect", end);
    loop.watch(dial->fd.get(), POLLOUT, [this, end](short) { decided(end); });
    loop.unref(dial->fd.get());
    if (dial->left.empty()) return std::nullopt;
    dial->timer = loop.set_timeout(milliseconds(250), [this, end] {
      give_up(failed("connect", end, ETIMEDOUT));
      dial_next();
    });
    loop.unref(dial->timer);
    return std::nullopt;
  }

  void decided(const Endpoint& end) {
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(dial->fd.get(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) {
      give_up(failed("connect", end, number));
      return dial_next();
    }
    auto alive = self.shared_from_this();
    bool reset = dial->reset;
    open(self.layer(std::make_unique<FdTransport>(hang_up())));
    dial.reset();
    touch();
    self.on_connect.emit();
    if (reset && phase == kOpen) self.reset_and_destroy();
    if (phase == kOpen) self.on_ready.emit();
  }

  void open(std::unique_ptr<Transport> transport) {
    line.transport = std::move(transport);
    registry()->sockets.insert(self.shared_from_this());
    set_phase(kOpen);
    loop.watch(line.transport->fd(), 0,
               [this](short events) { ready(events); });
    loop.unref(line.transport->fd());
    line.agreed = !line.transport->needs_handshake();
    apply_options();
    later([this] { begin(); });
  }

  void begin() {
    if (phase != kOpen) return;
    if (!line.agreed) return agree();
    if (flow != kPaused) line.reads = true;
    flush();
    look_for_more();
  }

  void agree() {
    IoResult result = line.transport->handshake();
    touch();
    wait_for(0, result);
    ask();
    if (result.kind == IoResult::kFailed) return self.disagreed(*result.error);
    if (result.kind != IoResult::kEnd) return;
    line.agreed = true;
    later([this] { begin(); });
    self.agreed();
  }

  // What the call has asked for; else what is usual.
  void wait_for(int what, const IoResult& result) {
    static constexpr short kUsual[] = {0, POLLIN, POLLOUT};
    line.wants[what] = kUsual[what];
    if (result.kind == IoResult::kWantsRead) line.wants[what] = POLLIN;
    if (result.kind == IoResult::kWantsWrite) line.wants[what] = POLLOUT;
  }

  bool reads_now() const {
    return line.reads && !line.at_end && !line.bytes_wait;
  }
  bool writes_now() const { return !line.queue.empty() || line.shutting; }

  // What the transport has, and poll() does not know of.
  void look_for_more() {
    if (phase != kOpen || !line.transport->has_pending()) return;
    later([this] {
      if (phase != kOpen || !reads_now() || flow != kFlowing) return;
      take();
      ask();
    });
  }

  Connection give() {
    ask_kernel(true);
    loop.unwatch(line.transport->fd());
    loop.clear_timer(std::exchange(idle_timer, TimerId::kNone));
    set_phase(kGiven);
    Sink rest;
    line.queue.flush(rest);
    line.queue.take_drain();
    tell_done();
    Connection all;
    all.transport = std::move(line.transport);
    all.unsent = std::move(rest.all);
    return all;
  }

  // ---- both directions

  void ask() {
    if (phase != kOpen) return;
    short in = reads_now() ? line.wants[1] : short{0};
    short out = writes_now() ? line.wants[2] : short{0};
    loop.update(line.transport->fd(),
                line.agreed ? static_cast<short>(in | out) : line.wants[0]);
  }

  void ready(short events) {
    auto alive = self.shared_from_this();
    if (!line.agreed) return agree();
    bool trouble = (events & (POLLERR | POLLHUP)) != 0;
    if (reads_now() && (events & line.wants[1] || trouble)) take();
    if (phase == kOpen && writes_now() && (events & line.wants[2] || trouble))
      flush();
    ask();
  }

  void touch() {
    loop.clear_timer(std::exchange(idle_timer, TimerId::kNone));
    if (!idle || idle->count() == 0) return;
    idle_timer = loop.set_timeout(*idle, [weak = self.weak_from_this()] {
      if (auto alive = weak.lock()) alive->on_timeout.emit();
    });
    loop.unref(idle_timer);
  }

  void try_to_close() {
    if (line.out == kOver && (line.soon || line.at_end)) destroy({});
  }

  void destroy(std::optional<Error> error) {
    if (over()) return;
    auto alive = self.shared_from_this();
    registry()->sockets.insert(alive);
    if (phase == kOpen) loop.unwatch(line.transport->fd());
    drop_dial();
    set_phase(kClosing);
    if (line.transport) line.transport->close();
    loop.clear_timer(std::exchange(idle_timer, TimerId::kNone));
    tell_done();
    Error reason = error ? *error : gone_error("write");
    for (Callback& it : line.queue.take_dropped()) tell(it, reason);
    for (Callback& it : std::exchange(line.ends, {})) tell(it, reason);
    // By the address: a task that the loop drops must not hold the socket.
    if (error) loop.defer([this, e = *error] { emit_error(self.on_error, e); });
    loop.defer([this, bad = error.has_value()] { closed(bad); });
  }

  void closed(bool had_error) {
    auto alive = self.shared_from_this();
    set_phase(kClosed);
    loop.set_timeout({}, [weak = self.weak_from_this()] {
      auto alive = weak.lock();
      if (!alive || alive->state_->phase != kClosed) return;
      alive->forget_listeners();
      alive->state_->registry()->sockets.erase(alive);
    });
    self.on_close.emit(had_error);
  }

  // ---- in

  void take() {
    if (flow != kFlowing) return peek();
    static thread_local std::vector<char> buffer(128 * 1024);
    IoResult result = line.transport->read(buffer);
    wait_for(1, result);
    look_for_more();
    if (result.kind == IoResult::kFailed) return destroy(result.error);
    if (result.kind == IoResult::kEnd) return peer_ended();
    if (result.kind != IoResult::kBytes) return;
    line.in_count += result.bytes;
    touch();
    std::string_view bytes(buffer.data(), result.bytes);
    if (!line.decoder) return void(self.on_data.emit(bytes));
    std::string text = line.decoder->feed(bytes);
    if (!text.empty()) self.on_data.emit(text);
  }

  // Is it the end? Bytes are left where they are.
  void peek() {
    char byte;
    ssize_t n = ::recv(line.transport->fd(), &byte, 1, MSG_PEEK);
    if (n > 0) line.bytes_wait = true;
    if (n == 0) return peer_ended();
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      destroy(Error::from_errno(errno, "read"));
  }

  void peer_ended() {
    std::string rest = line.decoder ? line.decoder->finish() : "";
    line.at_end = true;
    later([this] {
      if (phase != kOpen) return;
      later([this] { after_end(); });
      self.on_end.emit();
    });
    if (!rest.empty()) self.on_data.emit(rest);
  }

  void after_end() {
    if (phase != kOpen) return;
    if (!options.allow_half_open && line.out == kGoes) end({});
    try_to_close();
  }

  // ---- out

  void tell(const Callback& done, std::optional<Error> error) {
    if (!done) return;
    loop.defer([done, error] { done(error ? &*error : nullptr); });
  }

  void tell_done() {
    for (Callback& it : line.queue.take_done()) tell(it, {});
  }

  void flush() {
    std::size_t before = line.queue.size();
    IoResult result = line.queue.flush(*line.transport);
    wait_for(2, result);
    look_for_more();
    if (result.kind == IoResult::kFailed) return destroy(result.error);
    if (before != line.queue.size() || result.bytes > 0) touch();
    settled();
  }

  // Tells who wants to know: drain, the callbacks, and then the end.
  void settled() {
    if (line.queue.take_drain() && line.out == kGoes)
      later([this] {
        if (phase == kOpen) self.on_drain.emit();
      });
    tell_done();
    if (line.out == kAsked && line.queue.empty()) later([this] { finish(); });
    ask();
  }

  void finish() {
    if (phase != kOpen || line.out != kAsked || !line.queue.empty()) return;
    IoResult result = line.transport->shutdown_write();
    wait_for(2, result);
    line.shutting = result.kind == IoResult::kWantsRead ||
                    result.kind == IoResult::kWantsWrite;
    if (line.shutting) return ask();
    line.out = kOver;
    for (Callback& it : std::exchange(line.ends, {})) tell(it, {});
    later([this] {
      if (phase != kOpen) return;
      later([this] { try_to_close(); });
      self.on_finish.emit();
    });
  }

  bool write(std::string_view bytes, Callback done) {
    std::optional<Error> error;
    if (over()) {
      tell(done, gone_error("write"));
      return false;
    }
    if (line.out != kGoes && line.at_end && !options.allow_half_open)
      error = Error::from_errno(EPIPE, "write");
    else if (line.out != kGoes)
      error = Error("ERR_STREAM_WRITE_AFTER_END", "write after end");
    else if (phase == kNew || phase == kGiven)
      error = Error("ERR_SOCKET_CLOSED", "Socket is closed");
    if (error) {
      line.queue.push({}, std::move(done));
      destroy(error);
      return false;
    }
    line.out_count += bytes.size();
    if (phase != kOpen || !line.agreed)
      return line.queue.push(bytes, std::move(done));
    bool room = line.queue.write(*line.transport, bytes, std::move(done));
    if (line.queue.failed())
      later([this] {
        if (phase == kOpen) flush();
      });
    touch();
    tell_done();
    look_for_more();
    ask();
    return room;
  }

  void end(Callback done) {
    if (line.out == kOver)
      return tell(done, Error("ERR_STREAM_ALREADY_FINISHED",
                              "Cannot call end after a stream was finished"));
    if (over()) return tell(done, gone_error("end"));
    if (done) line.ends.push_back(std::move(done));
    line.out = kAsked;
    if (phase == kOpen) later([this] { finish(); });
  }

  // ---- settings

  void option(int level, int name, int value) {
    if (phase == kOpen)
      ::setsockopt(line.transport->fd(), level, name, &value, sizeof value);
  }

  void apply_options() {
    if (options.no_delay) option(IPPROTO_TCP, TCP_NODELAY, 1);
    if (!options.keep_alive) return;
    option(SOL_SOCKET, SO_KEEPALIVE, 1);
    auto seconds = options.keep_alive_initial_delay.count() / 1000;
    if (seconds > 0)
      option(IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(seconds));
  }

  std::optional<Endpoint> ask_kernel(bool remote) {
    if (phase != kOpen) return remote ? line.remote : std::nullopt;
    sockaddr_storage room{};
    socklen_t size = sizeof room;
    auto* address = reinterpret_cast<sockaddr*>(&room);
    int fd = line.transport->fd();
    int result = remote ? ::getpeername(fd, address, &size)
                        : ::getsockname(fd, address, &size);
    if (result < 0) return remote ? line.remote : std::nullopt;
    Endpoint end = Endpoint::from(address, size);
    if (remote) line.remote = end;
    return end;
  }

  SocketAddress described(bool remote) {
    auto end = ask_kernel(remote);
    if (!end || end->family() == AF_UNIX) return {};
    return {end->host(), end->family() == AF_INET ? "IPv4" : "IPv6",
            end->port()};
  }
};

Socket::Socket(EventLoop& loop, ConnectOptions options)
    : state_(new State{*this, loop, std::move(options)}) {
  on_data.when_added([this] {
    if (state_->flow == State::kUndecided) resume();
  });
}
Socket::~Socket() = default;

void Socket::forget_listeners() {
  on_lookup.clear(), on_connect.clear(), on_ready.clear(), on_data.clear();
  on_end.clear(), on_drain.clear(), on_finish.clear(), on_timeout.clear();
  on_error.clear(), on_close.clear();
}

std::shared_ptr<Socket> Socket::create(EventLoop& loop, ConnectOptions o) {
  return std::shared_ptr<Socket>(new Socket(loop, std::move(o)));
}

std::shared_ptr<Socket> Socket::adopt(EventLoop& loop,
                                      std::unique_ptr<Transport> transport,
                                      ConnectOptions options) {
  auto socket = create(loop, std::move(options));
  socket->state_->open(std::move(transport));
  return socket;
}

void Socket::adopt(std::unique_ptr<Transport> transport) {
  state_->open(std::move(transport));
}

void Socket::try_again() {
  state_->later([state = state_.get()] { state->begin(); });
}

Socket::Connection Socket::hand_over() {
  if (state_->phase != State::kOpen || !state_->line.agreed)
    throw UsageError("ERR_SOCKET_CLOSED", "there is no connection");
  return state_->give();
}

Socket& Socket::connect(ConnectOptions to, std::function<void()> connected) {
  if (to.path.empty()) {
    if (!to.port) throw UsageError("ERR_MISSING_ARGS", "a port, or a path");
    for (int port : {*to.port, to.local_port})
      if (port < 0 || port > 65535)
        throw UsageError("ERR_SOCKET_BAD_PORT", std::to_string(port));
    if (!to.local_address.empty() && !parse(bracketed(to.local_address) + ":0"))
      throw UsageError("ERR_INVALID_IP_ADDRESS", to.local_address);
  }
  state_->connect(std::move(to));
  if (connected) on_connect.once(std::move(connected));
  return *this;
}

Socket& Socket::connect(int port, std::string host,
                        std::function<void()> connected) {
  ConnectOptions to;
  to.port = port;
  to.host = std::move(host);
  return connect(std::move(to), std::move(connected));
}

bool Socket::write(std::string_view bytes, Callback done) {
  return state_->write(bytes, std::move(done));
}
bool Socket::write(std::string_view text, Encoding encoding, Callback done) {
  return state_->write(encode(text, encoding), std::move(done));
}
Socket& Socket::end(Callback done) {
  return state_->end(std::move(done)), *this;
}
Socket& Socket::end(std::string_view bytes, Callback done) {
  return state_->write(bytes, {}), end(std::move(done));
}
Socket& Socket::destroy(std::optional<Error> error) {
  return state_->destroy(std::move(error)), *this;
}
Socket& Socket::destroy_soon() {
  state_->line.soon = true;
  if (state_->line.out == State::kGoes) end();
  if (state_->line.out == State::kOver) destroy();
  return *this;
}
Socket& Socket::reset_and_destroy() {
  if (state_->dial) return state_->dial->reset = true, *this;
  if (state_->phase != State::kOpen)
    return destroy(Error("ERR_SOCKET_CLOSED", "Socket is closed"));
  linger none{1, 0};
  ::setsockopt(state_->line.transport->fd(), SOL_SOCKET, SO_LINGER, &none,
               sizeof none);
  return destroy();
}

Socket& Socket::pause() {
  return state_->flow = State::kPaused, *this;
}
Socket& Socket::resume() {
  state_->flow = State::kFlowing;
  if (state_->phase == State::kOpen)
    state_->later([state = state_.get()] {
      if (state->flow != State::kFlowing) return;
      state->line.reads = true;
      state->line.bytes_wait = false;
      state->look_for_more();
      state->ask();
    });
  return *this;
}
bool Socket::is_paused() const {
  return state_->flow == State::kPaused;
}
Socket& Socket::set_encoding(Encoding encoding) {
  state_->encoding = encoding;
  state_->line.decoder.emplace(encoding);
  return *this;
}

Socket& Socket::set_timeout(milliseconds idle, std::function<void()> listener) {
  if (idle.count() < 0) throw UsageError("ERR_OUT_OF_RANGE", "timeout");
  if (state_->over()) return *this;
  state_->idle = idle;
  state_->touch();
  if (listener && idle.count() == 0)
    on_timeout.off(state_->idle_listener);
  else if (listener)
    state_->idle_listener = on_timeout.once(std::move(listener));
  return *this;
}
Socket& Socket::set_no_delay(bool on) {
  state_->options.no_delay = on;
  return state_->option(IPPROTO_TCP, TCP_NODELAY, on), *this;
}
Socket& Socket::set_keep_alive(bool on, milliseconds initial_delay) {
  state_->options.keep_alive = on;
  state_->options.keep_alive_initial_delay = initial_delay;
  state_->option(SOL_SOCKET, SO_KEEPALIVE, on);
  return state_->apply_options(), *this;
}
Socket& Socket::ref() {
  state_->referenced = true;
  return state_->set_phase(state_->phase), *this;
}
Socket& Socket::unref() {
  state_->referenced = false;
  return state_->set_phase(state_->phase), *this;
}

SocketAddress Socket::address() const {
  return state_->described(false);
}
std::string Socket::remote_address() const {
  return state_->described(true).address;
}
std::string Socket::remote_family() const {
  return state_->described(true).family;
}
int Socket::remote_port() const {
  return state_->described(true).port;
}
std::string Socket::local_address() const {
  return address().address;
}
std::string Socket::local_family() const {
  return address().family;
}
int Socket::local_port() const {
  return address().port;
}
std::uint64_t Socket::bytes_read() const {
  return state_->line.in_count;
}
std::uint64_t Socket::bytes_written() const {
  return state_->line.out_count;
}
std::size_t Socket::writable_length() const {
  return state_->line.queue.size();
}
std::size_t Socket::high_water_mark() const {
  return state_->options.high_water_mark;
}
bool Socket::writable_need_drain() const {
  return writable() && state_->line.queue.needs_drain();
}
bool Socket::writable_ended() const {
  return state_->line.out != State::kGoes;
}
bool Socket::writable_finished() const {
  return state_->line.out == State::kOver;
}
bool Socket::readable() const {
  return !state_->over() && !state_->line.at_end;
}
bool Socket::writable() const {
  return !state_->over() && state_->line.out == State::kGoes;
}
bool Socket::connecting() const {
  return state_->phase == State::kConnecting;
}
bool Socket::pending() const {
  return state_->phase != State::kOpen;
}
bool Socket::destroyed() const {
  return state_->over();
}
std::string_view Socket::ready_state() const {
  static constexpr std::string_view kWords[] = {"closed", "writeOnly",
                                                "readOnly", "open"};
  return connecting() ? "opening" : kWords[2 * readable() + writable()];
}
std::optional<milliseconds> Socket::timeout() const {
  return state_->idle;
}

std::shared_ptr<Socket> connect(EventLoop& loop, ConnectOptions options,
                                std::function<void()> connected) {
  auto socket = Socket::create(loop, options);
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
