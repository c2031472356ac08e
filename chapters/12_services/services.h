// Services: what is done with one connected (or connecting) Socket.
//
//   net::EventLoop loop;
//   net::Chat chat(log);
//   auto join = [&](auto client) { chat.join(client); };
//   net::serve(loop, {.port = 8080}, join);
//   net::serve(loop, {.path = "/run/chat.sock"}, join);
//   loop.run();
//
// A service never asks what kind of connection it has. Whatever a client does,
// only its own connection ends: no exception leaves run() (BYTES-3).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/11_server/server.h"

namespace net {

using Service = std::function<void(std::shared_ptr<Socket> client)>;
using Log = std::function<void(const std::string& line)>;  // without its LF

inline constexpr std::size_t kMaxLine = 4096;  // bytes, without the LF

// A server that gives each client to `service` (SERVICE-1). A socket file at
// which nobody listens is replaced (SERVICE-2). What goes wrong is the server's
// on_error. Its sockets allow half-open: a service ends them (SERVICE-3).
std::shared_ptr<Server> serve(EventLoop& loop, ListenOptions where,
                              Service service);

// Sends every byte back, and ends after the client (BYTES-1). Does not read
// from a client that does not read (BYTES-2).
void echo(std::shared_ptr<Socket> client);

// The first line is the client's name: "hello NAME". Each further one: "NAME
// said LINE" (ANSWER-1). Ends after the client, and never has more answers
// queued than the mark and one (ANSWER-2). Says "line too long" (ANSWER-3), or
// "timeout" when `idle` has passed without traffic, and ends: no line is
// answered after that. When `idle` has passed once more, destroys the client
// (ANSWER-4). Logs "NAME: end", "NAME: error ECONNRESET", each time "NAME:
// timeout", "NAME: line too long", and at last "NAME: closed" (ANSWER-5); "?"
// for a name that it has not said.
void answer(std::shared_ptr<Socket> client, std::chrono::milliseconds idle,
            Log log);

// The other side: sends `name`, then "line 1" to "line N" for `lines`, and ends
// (TALK-1). Never has more queued than the mark and a line; reads all the time
// (TALK-2). Logs each answer, "end", "error ECONNREFUSED", "timeout" (then it
// gives up), and at last "closed" (TALK-3).
void introduce(std::shared_ptr<Socket> server, std::string name, int lines,
               Log log);

// One room. The first line of a client is its name: 1 to 32 bytes of UTF-8, and
// nobody else's. Else it reads "* " and why not, and is ended (ROOM-2). A
// member reads "* hello NAME", the others "* NAME joined". Each line of it is
// "NAME: LINE" to all others (ROOM-1), as valid UTF-8; after one that is too
// long it reads "* line too long", and has left (ROOM-6). However a member
// goes, the others read once "* NAME left", and the name is free (ROOM-3). One
// that has more than `most_queued` bytes waiting is destroyed at once: "* NAME
// was too slow" (ROOM-4, ROOM-5).
class Chat {
 public:
  // Logs "NAME joined", "NAME left", "NAME was too slow", "NAME: error CODE".
  explicit Chat(Log log, std::size_t most_queued = 1024 * 1024);
  void join(std::shared_ptr<Socket> client);  // may outlive the Chat
  std::vector<std::string> names() const;     // in the order they joined

 private:
  struct Room;  // yours to design: see chat.cc
  std::shared_ptr<Room> room_;
};

}  // namespace net
