// Other than the reference: echo and answer never pause a socket in mid-flow;
// they keep what they could not pass on in a buffer of their own. And no
// object: the state is in one lambda that all events share.
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "chapters/04_framing/framing.h"
#include "chapters/12_services/services.h"

namespace net {

void echo(std::shared_ptr<Socket> client) {
  // Each write's callback says when its bytes are out: one write at a time.
  client->on_data([client](std::string_view bytes) {
    client->pause();
    client->write(bytes, [client](const Error* error) {
      if (!error) client->resume();
    });
  });
  client->on_end([client] { client->end(); });
  client->on_error([](const Error&) {});
}

void answer(std::shared_ptr<Socket> client, std::chrono::milliseconds idle,
            Log log) {
  struct State {
    std::deque<std::string> waiting;  // lines
    LineDecoder decoder{kMaxLine};
    std::optional<std::string> name;
    bool at_end = false, too_long = false, parted = false;
  };
  auto state = std::make_shared<State>();
  auto note = [state, log](const std::string& what) {
    log(state->name.value_or("?") + ": " + what);
  };
  auto part = [state, client, note](const std::string& why) {
    note(why);
    state->parted = true;
    state->waiting.clear();
    client->end(why + "\n");
    client->resume();
  };
  // Everything that happens ends here: what can be done now?
  auto step = [state, client, part] {
    while (!state->parted && !state->waiting.empty() &&
           !client->writable_need_drain()) {
      std::string line = std::move(state->waiting.front());
      state->waiting.pop_front();
      if (state->name) {
        client->write(*state->name + " said " + line + "\n");
      } else {
        client->write("hello " + line + "\n");
        state->name = std::move(line);
      }
    }
    if (state->parted) return;
    if (!state->waiting.empty()) {
      client->pause();
    } else if (state->too_long) {
      part("line too long");
    } else if (state->at_end) {
      client->end();
    } else {
      client->resume();
    }
  };
  client->on_data([state, step](std::string_view bytes) {
    if (state->parted) return;
    state->decoder.feed(bytes);
    while (auto line = state->decoder.next()) state->waiting.push_back(*line);
    state->too_long = state->decoder.status() == Framing::kTooLong;
    step();
  });
  client->on_drain(step);
  client->on_end([state, note, step] {
    note("end");
    state->at_end = true;
    step();
  });
  client->on_error([note](const Error& error) { note("error " + error.code); });
  client->on_timeout([state, client, note, part] {
    if (!state->parted && !client->writable_ended()) return part("timeout");
    note("timeout");
    client->destroy();
  });
  client->on_close([note](bool) { note("closed"); });
  client->set_timeout(idle);
}

void introduce(std::shared_ptr<Socket> server, std::string name, int lines,
               Log log) {
  auto next = std::make_shared<int>(0);
  auto say_more = [server = server.get(), next, lines] {
    while (*next < lines && !server->writable_need_drain())
      server->write("line " + std::to_string(++*next) + "\n");
    if (*next == lines && !server->writable_ended()) server->end();
  };
  auto text = std::make_shared<std::string>();
  server->on_data([text, log](std::string_view bytes) {
    *text += bytes;
    std::size_t from = 0;
    for (std::size_t end; (end = text->find('\n', from)) != text->npos;
         from = end + 1)
      log(text->substr(from, end - from));
    text->erase(0, from);
  });
  server->on_end([log] { log("end"); });
  server->on_error([log](const Error& error) { log("error " + error.code); });
  server->on_timeout([server = server.get(), log] {
    log("timeout");
    server->destroy();
  });
  server->on_close([log](bool) { log("closed"); });
  server->on_drain(say_more);
  server->write(name + "\n");
  say_more();
}

}  // namespace net
