// What a Socket remembers, and what it does with it: one way to cut it into
// pieces that fit in the head. The files life.cc, reading.cc, writing.cc and
// settings.cc have a function for each of those below. If you would rather cut
// it in another way, do not include this file: what is tested is socket.h.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/10_socket/connector.h"
#include "chapters/10_socket/socket.h"

namespace net {

struct Socket::State {
  Socket& self;
  EventLoop& loop;

  // What was asked of the socket, connected or not.
  struct Settings {
    explicit Settings(const ConnectOptions& wanted)
        : allow_half_open(wanted.allow_half_open),
          no_delay(wanted.no_delay),
          keep_alive(wanted.keep_alive),
          keep_alive_initial_delay(wanted.keep_alive_initial_delay),
          high_water_mark(wanted.high_water_mark) {}
    bool allow_half_open, no_delay, keep_alive;
    std::chrono::milliseconds keep_alive_initial_delay;
    std::size_t high_water_mark;
  };
  Settings options;
  std::optional<Encoding> encoding = {};
  enum class Flow : std::uint8_t { kUndecided, kFlowing, kPaused };
  Flow flow = Flow::kUndecided;
  bool referenced = true;
  bool held = false;  // see hold()

  // Where it is in its life. kHandedOver: see hand_over(). kClosing: destroyed,
  // `close` is still to come.
  enum class Phase : std::uint8_t {
    kNew,
    kConnecting,
    kOpen,
    kHandedOver,
    kClosing,
    kClosed
  };
  Phase phase = Phase::kNew;
  bool open() const { return phase == Phase::kOpen; }
  bool alive() const { return open() || phase == Phase::kConnecting; }
  bool gone() const {
    return phase == Phase::kClosing || phase == Phase::kClosed;
  }

  // While it is connecting.
  struct Attempt {
    ConnectOptions options;
    std::optional<Lookup> lookup = {};
    std::optional<Connector> connector = {};
    bool reset_when_connected = false;  // see reset_and_destroy()
  };
  std::unique_ptr<Attempt> attempt = {};

  // One connection; the next one begins with all of it anew.
  struct Connection {
    explicit Connection(std::size_t mark) : queue(mark) {}
    std::unique_ptr<Transport> transport = {};
    std::unique_ptr<SocketAddress> remote = {};  // once somebody has asked
    short watched = 0;                           // what poll() is asked now
    short read_needs = POLLIN;                   // what to wait for, to read
    short write_needs = POLLOUT;                 // and to write
    // Whether the transport's handshake() is over; until then, what it needs in
    // place of both.
    bool agreed = false;
    short handshake_needs = 0;

    bool reading = false;        // it has begun to read
    bool at_end = false;         // the peer's FIN has been read
    bool end_emitted = false;    // and told
    bool pump_deferred = false;  // resumed() is on its way

    std::unique_ptr<TextDecoder> decoder = {};  // few have one
    std::string unread = {};  // was read, and nobody wanted it yet
    std::uint64_t bytes_read = 0;

    WriteQueue queue;
    bool ended = false;     // end() was called
    bool shut = false;      // FIN is out
    bool finished = false;  // and told
    bool destroy_when_finished = false;
    bool written_deferred = false;    // written() is on its way
    std::vector<Callback> done = {};  // of writes that are out
    std::vector<Callback> end_callbacks = {};
    std::uint64_t bytes_written = 0;
  };
  Connection c;

  // Keeps the socket alive: see keep().
  struct Keeper;
  std::weak_ptr<Keeper> keeper = {};
  TimerId keeping = TimerId::kNone;

  std::optional<std::chrono::milliseconds> idle = {};
  TimerId idle_timer = TimerId::kNone;
  EventLoop::TimePoint last_traffic = {};
  ListenerId idle_listener = 0;

  // life.cc: connecting
  void connect(ConnectOptions wanted);
  void look_up();
  void looked_up(std::vector<Endpoint> found, std::optional<Error> error);
  void try_all(std::vector<Endpoint> endpoints);
  void connected(Fd fd);
  void begin(std::unique_ptr<Transport> transport);
  void stay();
  // life.cc: closing
  void destroy(std::optional<Error> error);
  void emit_close(bool had_error);
  Socket::Connection hand_over();
  // life.cc: staying alive
  void hold();
  std::shared_ptr<Keeper> keep();
  void forgotten();
  // Runs `step` after the current callback, unless the socket is gone by then.
  void defer(void (State::*step)());

  // reading.cc
  bool wants_input() const;
  bool wants_output() const;
  void update_interest();
  void ready(short events);
  void start();
  void agree();
  void start_reading();
  void read_some();
  void read_pending();
  void received(std::string_view bytes);
  void pump();
  void resumed();
  void emit_end();
  void after_end();

  // writing.cc
  bool write(std::string_view bytes, Callback&& done);
  std::optional<Error> why_not_writable() const;
  void refuse(Callback done, const Error& error);
  void write_more();
  void defer_written();
  void written();
  void take_done();
  void end(Callback done);
  void finish();
  void close_if_over();
  void fail_callbacks(const std::optional<Error>& error);
  void call_all(std::vector<Callback> list, std::optional<Error> error);

  // settings.cc
  void touch();
  void start_idle_timer(std::chrono::milliseconds rest);
  void idle_timer_is_due();
  void apply_no_delay();
  void apply_keep_alive();
  void set_option(int level, int name, int value);
  SocketAddress local() const;
  SocketAddress remote();
};

}  // namespace net
