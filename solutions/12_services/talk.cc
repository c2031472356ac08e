#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "chapters/04_framing/framing.h"
#include "chapters/12_services/services.h"

namespace net {

void echo(std::shared_ptr<Socket> client) {
  // 12.2: a socket owns its listeners, so they need no share of it.
  Socket& socket = *client;
  socket.on_data([&socket](std::string_view bytes) {
    if (socket.write(bytes)) return;
    socket.pause();
    socket.on_drain.once([&socket] { socket.resume(); });
  });
  socket.on_end([&socket] { socket.end(); });
  // Without a listener the error of one client would leave run().
  socket.on_error([](const Error&) {});
}

namespace {

// The server's side of one connection. The socket's listeners own it.
struct Visitor {
  Socket& socket;
  Log log;
  LineDecoder lines = LineDecoder(kMaxLine);
  std::string name = "?";
  bool named = false;
  bool client_ended = false;

  void note(const std::string& what) { log(name + ": " + what); }

  std::string answer_to(const std::string& line) {
    if (std::exchange(named, true)) return name + " said " + line + "\n";
    name = line;
    return "hello " + name + "\n";
  }

  void heard(std::string_view bytes) {
    // 12.3: after "timeout" nobody takes lines any more: do not keep them.
    if (!socket.writable()) return;
    lines.feed(bytes);
    go_on();
  }

  // Answers what is there, until there is no room for more. One read can hold
  // thousands of lines: to pause the socket is not enough.
  void go_on() {
    while (auto line = lines.next()) {
      if (socket.write(answer_to(*line))) continue;
      socket.pause();
      return;
    }
    if (lines.status() == Framing::kTooLong) return part("line too long");
    if (client_ended) socket.end();
    if (socket.is_paused()) socket.resume();
  }

  // Comes also while the socket is paused, with lines still to be answered.
  void ended() {
    note("end");
    client_ended = true;
    if (!socket.writable_need_drain() && socket.writable()) go_on();
  }

  // Also when the socket is paused: the client's end must be read.
  void part(const std::string& why) {
    note(why);
    socket.end(why + "\n");
    socket.resume();
  }

  void idle() {
    if (!socket.writable_ended()) return part("timeout");
    // It has ended, and the client does not: it does not even read that.
    note("timeout");
    socket.destroy();
  }
};

// What a socket can tell, in the words of both sides.
void tell_the_end(Socket& socket, Log note) {
  socket.on_error([note](const Error& error) { note("error " + error.code); });
  socket.on_close([note](bool) { note("closed"); });
}

}  // namespace

void answer(std::shared_ptr<Socket> client, std::chrono::milliseconds idle,
            Log log) {
  auto visitor =
      std::make_shared<Visitor>(Visitor{.socket = *client, .log = log});
  client->on_data([visitor](std::string_view b) { visitor->heard(b); });
  client->on_drain([visitor] { visitor->go_on(); });
  client->on_end([visitor] { visitor->ended(); });
  client->on_timeout([visitor] { visitor->idle(); });
  tell_the_end(*client,
               [visitor](const std::string& what) { visitor->note(what); });
  client->set_timeout(idle);
}

namespace {

// The client's side.
struct Guest {
  Socket& server;
  std::string name;
  int lines;
  int sent = -1;  // the name counts, too

  std::string next() {
    if (++sent == 0) return name + "\n";
    return "line " + std::to_string(sent) + "\n";
  }

  void go_on() {
    while (sent < lines) {
      // 12.4: false is advice, and the line is queued: drain goes on after it.
      if (!server.write(next())) return;
    }
    server.end();
  }
};

}  // namespace

void introduce(std::shared_ptr<Socket> server, std::string name, int lines,
               Log log) {
  auto guest = std::make_shared<Guest>(Guest{*server, std::move(name), lines});
  server->on_drain([guest] { guest->go_on(); });
  // Whether there is room to write or not: if both sides waited for the other
  // one to read, neither would ever go on.
  auto answers = std::make_shared<LineDecoder>();
  server->on_data([answers, log](std::string_view bytes) {
    answers->feed(bytes);
    while (auto line = answers->next()) log(*line);
  });
  server->on_end([log] { log("end"); });
  server->on_timeout([socket = server.get(), log] {
    log("timeout");
    socket->destroy();
  });
  tell_the_end(*server, log);
  guest->go_on();
}

// Also right: to keep the lines that were not answered in a queue of one's own;
// to stop reading before the mark is reached; to answer all lines of a read
// with one write, as long as its size has a bound.

}  // namespace net
