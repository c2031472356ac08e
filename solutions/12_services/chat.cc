#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/04_framing/framing.h"
#include "chapters/04_framing/utf8.h"
#include "chapters/12_services/services.h"

namespace net {
namespace {

constexpr std::size_t kMaxName = 32;

std::string text_of(std::string_view bytes) {
  Utf8Decoder decoder;
  std::string text = decoder.feed(bytes);
  return text + decoder.finish();
}

struct Member {
  std::shared_ptr<Socket> socket;
  LineDecoder lines = LineDecoder(kMaxLine);
  std::string name = {};  // "": it has not said it yet
  bool slow = false;
};

}  // namespace

struct Chat::Room {
  Log log;
  std::size_t most_queued;
  std::vector<std::shared_ptr<Member>> members = {};  // those with a name

  void heard(const std::shared_ptr<Member>& member, std::string_view bytes);
  void enter(const std::shared_ptr<Member>& member, const std::string& name);
  std::string why_not(const std::string& name) const;
  void tell(Member& to, const std::string& text);
  void tell_others(const Member& from, const std::string& text);
  void notice(const Member& about, const std::string& text);
  void leave(Member& member);
};

Chat::Chat(Log log, std::size_t most_queued)
    : room_(new Room{std::move(log), most_queued}) {}

void Chat::join(std::shared_ptr<Socket> client) {
  // 12.5: the listeners own the room and the member; a socket that is over
  // drops its listeners.
  auto member = std::make_shared<Member>(Member{client});
  client->on_data([room = room_, member](std::string_view bytes) {
    room->heard(member, bytes);
  });
  client->on_end([room = room_, member] {
    room->leave(*member);
    member->socket->end();
  });
  client->on_error([room = room_, member](const Error& error) {
    if (!member->name.empty())
      room->log(member->name + ": error " + error.code);
  });
  client->on_close([room = room_, member](bool) { room->leave(*member); });
}

std::vector<std::string> Chat::names() const {
  std::vector<std::string> names;
  for (const auto& member : room_->members) names.push_back(member->name);
  return names;
}

void Chat::Room::heard(const std::shared_ptr<Member>& member,
                       std::string_view bytes) {
  Socket& socket = *member->socket;
  // 12.5: whoever was refused, or dropped, may go on talking: not to us.
  if (!socket.writable()) return;
  member->lines.feed(bytes);
  while (auto line = member->lines.next()) {
    if (member->name.empty())
      enter(member, *line);
    else
      tell_others(*member, member->name + ": " + text_of(*line));
    if (!socket.writable()) return;
  }
  if (member->lines.status() != Framing::kTooLong) return;
  leave(*member);
  socket.end("* line too long\n");
}

void Chat::Room::enter(const std::shared_ptr<Member>& member,
                       const std::string& name) {
  if (std::string why = why_not(name); !why.empty()) {
    member->socket->end("* " + why + "\n");
    return;
  }
  member->name = name;
  members.push_back(member);
  tell(*member, "* hello " + name);
  notice(*member, "joined");
}

std::string Chat::Room::why_not(const std::string& name) const {
  if (name.empty() || name.size() > kMaxName) return "a name has 1 to 32 bytes";
  if (text_of(name) != name) return "a name is UTF-8";
  for (const auto& other : members)
    if (other->name == name) return name + " is taken";
  return "";
}

void Chat::Room::tell(Member& to, const std::string& text) {
  Socket& socket = *to.socket;
  // 12.6: dropped a moment ago, or ended: a write would be an error.
  if (!socket.writable()) return;
  socket.write(text + "\n");
  // 12.7: no event is emitted inside destroy(), so nobody leaves the list that
  // our caller goes through. `close` does it later.
  if (socket.writable_length() <= most_queued) return;
  to.slow = true;
  socket.destroy();
}

void Chat::Room::tell_others(const Member& from, const std::string& text) {
  for (const auto& member : members)
    if (member.get() != &from) tell(*member, text);
}

void Chat::Room::notice(const Member& about, const std::string& text) {
  log(about.name + " " + text);
  tell_others(about, "* " + about.name + " " + text);
}

// At the end of what it says, or at its close: whichever comes first.
void Chat::Room::leave(Member& member) {
  auto is_it = [&](const auto& other) { return other.get() == &member; };
  auto it = std::find_if(members.begin(), members.end(), is_it);
  if (it == members.end()) return;
  auto alive = *it;
  members.erase(it);
  notice(member, member.slow ? "was too slow" : "left");
}

// Also right: one shared buffer for a line that goes to many, if the sockets
// can write from it; a clock in place of the number of bytes: who has had
// something to read for a minute, and has not read it, is dropped.

}  // namespace net
