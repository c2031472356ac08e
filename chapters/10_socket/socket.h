// Socket: one connection, over TCP or at a unix path, as an object with events.
//
//   net::EventLoop loop;
//   auto socket = net::connect(loop, 8080, "localhost", [] { ... });
//   socket->on_data([](std::string_view bytes) { std::cout << bytes; });
//   socket->on_error([](const net::Error& e) { std::cerr << e.message; });
//   socket->end("hello\n");  // queued until it is connected, then FIN
//   loop.run();              // returns when the connection is over
//
// No event is ever emitted inside the call that causes it: connect, write, end,
// destroy, resume return first (EVT-6). All of it belongs to the loop's thread.
//
// Ownership: while it is connecting or open, the loop keeps the socket alive.
// One turn after `close` it drops all its listeners, unless it is connecting
// again by then. So a listener may hold the shared_ptr of its own socket.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/07_event_loop/event_loop.h"
#include "chapters/08_events/event.h"
#include "chapters/09_streams/transport.h"
#include "chapters/09_streams/write_queue.h"
#include "common/encoding.h"
#include "common/error.h"

namespace net {

struct ConnectOptions {
  std::string host = {};           // a name or an address; "": localhost
  std::optional<int> port = {};    // 0 to 65535
  std::string path = {};           // a unix path: the port is ignored then
  std::string local_address = {};  // the source; "": the system chooses
  int local_port = 0;              // 0: the system chooses
  int family = 0;                  // 4, 6; 0: both
  bool allow_half_open = false;    // true: end() is yours to call (HALF-2)
  bool no_delay = false;           // see set_no_delay()
  bool keep_alive = false;         // see set_keep_alive()
  std::chrono::milliseconds keep_alive_initial_delay{0};
  std::size_t high_water_mark = kHighWaterMark;  // of each direction
  std::chrono::milliseconds timeout{0};          // see set_timeout(); 0: none
};

// "127.0.0.1", "IPv4", 8080. All empty for a unix socket, and without one.
struct SocketAddress {
  std::string address = {};
  std::string family = {};
  int port = 0;
};

class Socket : public std::enable_shared_from_this<Socket> {
 public:
  // One that is not connected; connect() does it. Of the options it takes
  // those that are about the socket itself: half-open, the mark.
  static std::shared_ptr<Socket> create(EventLoop& loop,
                                        ConnectOptions options = {});
  // One that is connected already: a server's (ACC-1). It begins to read in
  // the next turn, but one that is paused by then: not a byte (ACC-5).
  static std::shared_ptr<Socket> adopt(EventLoop& loop,
                                       std::unique_ptr<Transport> transport,
                                       ConnectOptions options = {});
  virtual ~Socket();
  Socket(const Socket&) = delete;

  // Events, in the order they can occur.

  // A host name was resolved, or was not: before connect, once per address
  // (CONN-9, CONN-10). `error` is null if it went well.
  Event<const Error*, std::string /* address */, int /* family: 4, 6 */,
        std::string /* host */>
      on_lookup;
  Event<> on_connect;  // once, before any data (CONN-2)
  Event<> on_ready;    // directly after connect (CONN-5)
  // Bytes, or with set_encoding() text. Good during the call only. Adding a
  // listener starts the flow, unless the socket is paused (FLOW-2, FLOW-10).
  Event<std::string_view> on_data;
  // The peer has ended, and all its data was delivered (END-6). Unless
  // allow_half_open, end() is called for you after the listeners (HALF-1).
  Event<> on_end;
  Event<> on_drain;    // the queue is empty, after a write() that was false
  Event<> on_finish;   // after end(): all is out, and FIN (END-11)
  Event<> on_timeout;  // idle for so long; nothing else follows (TIME-1)
  // At most one (ERR-1); close follows directly (CLOSE-3). If nobody listens,
  // it leaves run() as an exception (EVT-4).
  Event<const Error&> on_error;
  // The last event of a connection, exactly one (CLOSE-1): it may have failed.
  Event<bool /* had_error */> on_close;

  // Connects, also again after close (CONN-14). `connected` is a listener for
  // one on_connect. Half-open and the mark stay what they are. UsageError:
  // ERR_MISSING_ARGS, no port and no path (CONN-16); ERR_SOCKET_BAD_PORT;
  // ERR_INVALID_IP_ADDRESS, of `local_address`; EALREADY, before close
  // (CONN-15).
  virtual Socket& connect(ConnectOptions options,
                          std::function<void()> connected = {});
  Socket& connect(int port, std::string host = {},
                  std::function<void()> connected = {});

  // False: wait for drain before you write more; it is queued all the same
  // (WRITE-3, WRITE-6). `done` runs later, once, in the order of the writes:
  // with null when the system has the bytes, else with the reason (WRITE-2).
  bool write(std::string_view bytes, Callback done = {});
  bool write(std::string_view text, Encoding encoding, Callback done = {});
  // No more will be written; FIN follows what is queued (END-2). `done` runs
  // with finish (END-4).
  Socket& end(Callback done = {});
  Socket& end(std::string_view bytes, Callback done = {});
  // Gives up at once: what is queued or unread is lost; then close, and nothing
  // else (DEST-1). With an error: error, then close (DEST-2).
  Socket& destroy(std::optional<Error> error = {});
  Socket& destroy_soon();       // end(), and destroy() after finish (DEST-7)
  Socket& reset_and_destroy();  // the peer sees ECONNRESET (DEST-9)

  Socket& pause();   // no data from here on (FLOW-4)
  Socket& resume();  // without a data listener, data is thrown away (FLOW-6)
  bool is_paused() const;
  Socket& set_encoding(Encoding encoding);

  // on_timeout after so long without traffic in either direction; 0: never.
  // `listener` is for one on_timeout; with 0 it is removed instead of added:
  // the one of the last call that gave one (TIME-1 to TIME-13).
  Socket& set_timeout(std::chrono::milliseconds idle,
                      std::function<void()> listener = {});
  Socket& set_no_delay(bool on = true);
  Socket& set_keep_alive(bool on = false,
                         std::chrono::milliseconds initial_delay = {});
  Socket& ref();    // an open socket keeps run() going (REF-2) ...
  Socket& unref();  // ... unless it is unreferenced; both idempotent (REF-3)

  SocketAddress address() const;  // the local end
  std::string remote_address() const;
  std::string remote_family() const;
  int remote_port() const;
  std::string local_address() const;
  std::string local_family() const;
  int local_port() const;
  std::uint64_t bytes_read() const;
  std::uint64_t bytes_written() const;  // with what is still queued (CNT-3)
  std::size_t writable_length() const;  // queued (WRITE-5)
  std::size_t buffer_size() const { return writable_length(); }
  std::size_t high_water_mark() const;
  bool writable_need_drain() const;  // from a false write() to drain (DRAIN-4)
  bool writable_ended() const;       // end() was called (END-10)
  bool writable_finished() const;    // and all is out
  bool readable() const;             // until the end, or destroy()
  bool writable() const;             // until end(), or destroy()
  bool connecting() const;
  bool pending() const;  // not connected: never, not yet, or no more
  bool destroyed() const;
  // "opening", "open", "readOnly", "writeOnly", "closed" (HALF-5)
  std::string_view ready_state() const;
  std::optional<std::chrono::milliseconds> timeout() const;

  // For what speaks another protocol on from here, over the same connection: it
  // takes the transport, what was read and not delivered, what was written and
  // is not out. Nothing comes and nothing goes here any more; it lives until
  // destroy(). UsageError: it is not connected, or its handshake is not over.
  struct Connection {
    std::unique_ptr<Transport> transport;
    std::string unread, unsent;
  };
  Connection hand_over();

 protected:
  Socket(EventLoop& loop, ConnectOptions options);

  // For a class that puts a layer over each connection: chapter 14.
  virtual std::unique_ptr<Transport> layer(std::unique_ptr<Transport> wire) {
    return wire;
  }
  // The transport's handshake() is over. Nothing is read or written before.
  virtual void agreed() {}
  virtual void disagreed(const Error& error) { destroy(error); }
  virtual void forget_listeners();
  void adopt(std::unique_ptr<Transport> transport);
  void try_again();  // later, after a handshake() that answered kWaits

 private:
  struct State;  // yours to design: see state.h
  std::unique_ptr<State> state_;
};

// A new socket that connects. Returns at once (CONN-1).
std::shared_ptr<Socket> connect(EventLoop& loop, ConnectOptions options,
                                std::function<void()> connected = {});
std::shared_ptr<Socket> connect(EventLoop& loop, int port,
                                std::string host = {},
                                std::function<void()> connected = {});
// A template, so that {.port = 80} can be nothing but ConnectOptions.
template <std::convertible_to<std::string> Path>
std::shared_ptr<Socket> connect(EventLoop& loop, const Path& path,
                                std::function<void()> connected = {}) {
  return connect(loop, ConnectOptions{.path = path}, std::move(connected));
}

// The same, under Node's other name.
template <typename... Args>
std::shared_ptr<Socket> create_connection(EventLoop& loop, Args&&... args) {
  return connect(loop, std::forward<Args>(args)...);
}

}  // namespace net
