// Other than the reference: members by number in a map; whoever must go is put
// on a list, and goes when the line that is told has been told to all.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/04_framing/framing.h"
#include "chapters/04_framing/utf8.h"
#include "chapters/12_services/services.h"

namespace net {

struct Chat::Room : std::enable_shared_from_this<Chat::Room> {
  using Number = std::uint64_t;
  struct Guest {
    std::shared_ptr<Socket> socket;
    LineDecoder lines{kMaxLine};
  };

  Log log;
  std::size_t most_queued;
  Number last = 0;
  std::map<Number, Guest> guests = {};  // all who are connected
  std::vector<std::pair<Number, std::string>> members = {};
  std::vector<Number> slow = {};
  bool dropping = false;

  Room(Log log, std::size_t most_queued)
      : log(std::move(log)), most_queued(most_queued) {}

  const std::string* name_of(Number who) const {
    for (const auto& [number, name] : members)
      if (number == who) return &name;
    return nullptr;
  }

  void tell(Number who, const std::string& text) {
    Socket& socket = *guests.at(who).socket;
    if (!socket.writable()) return;
    socket.write(text + "\n");
    if (socket.writable_length() > most_queued) slow.push_back(who);
  }

  void tell_others(Number from, const std::string& text) {
    for (const auto& [number, name] : members)
      if (number != from) tell(number, text);
    drop_the_slow();
  }

  // To tell of one may make another one slow: it is on the list then.
  void drop_the_slow() {
    if (std::exchange(dropping, true)) return;
    while (!slow.empty()) {
      Number who = slow.back();
      slow.pop_back();
      auto it = guests.find(who);
      if (it == guests.end()) continue;
      it->second.socket->destroy();
      leave(who, "was too slow");
    }
    dropping = false;
  }

  void leave(Number who, const std::string& how) {
    const std::string* known = name_of(who);
    if (!known) return;
    std::string name = *known;
    std::erase_if(members, [&](const auto& it) { return it.first == who; });
    log(name + " " + how);
    tell_others(who, "* " + name + " " + how);
  }

  static std::string text_of(const std::string& line) {
    Utf8Decoder text;
    std::string all = text.feed(line);
    return all + text.finish();
  }

  void enter(Number who, const std::string& name) {
    std::string why;
    if (name.empty() || name.size() > 32) why = "1 to 32 bytes, please";
    if (text_of(name) != name) why = "no UTF-8";
    for (const auto& member : members)
      if (member.second == name) why = name + " is taken";
    if (!why.empty()) {
      guests.at(who).socket->end("* " + why + "\n");
      return;
    }
    members.emplace_back(who, name);
    tell(who, "* hello " + name);
    log(name + " joined");
    tell_others(who, "* " + name + " joined");
  }

  void heard(Number who, std::string_view bytes) {
    Guest& guest = guests.at(who);
    if (!guest.socket->writable()) return;
    guest.lines.feed(bytes);
    while (guest.socket->writable()) {
      auto line = guest.lines.next();
      if (!line) break;
      if (const std::string* name = name_of(who))
        tell_others(who, *name + ": " + text_of(*line));
      else
        enter(who, *line);
    }
    if (guest.lines.status() == Framing::kFine || !guest.socket->writable())
      return;
    guest.socket->end("* line too long\n");
    leave(who, "left");
  }
};

Chat::Chat(Log log, std::size_t most_queued)
    : room_(std::make_shared<Room>(std::move(log), most_queued)) {}

void Chat::join(std::shared_ptr<Socket> client) {
  auto who = ++room_->last;
  room_->guests.emplace(who, Room::Guest{client});
  client->on_data(
      [room = room_, who](std::string_view bytes) { room->heard(who, bytes); });
  client->on_end([room = room_, who] {
    room->leave(who, "left");
    room->guests.at(who).socket->end();
  });
  client->on_error([room = room_, who](const Error& error) {
    if (const std::string* name = room->name_of(who))
      room->log(*name + ": error " + error.code);
  });
  client->on_close([room = room_, who](bool) {
    room->leave(who, "left");
    room->guests.erase(who);
  });
}

std::vector<std::string> Chat::names() const {
  std::vector<std::string> all;
  for (const auto& member : room_->members) all.push_back(member.second);
  return all;
}

}  // namespace net
