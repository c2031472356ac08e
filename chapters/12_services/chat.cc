#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/12_services/services.h"
#include "common/todo.h"

namespace net {

// What all the members' listeners share; it lives as long as one of them.
struct Chat::Room {
  Log log;
  std::size_t most_queued;
  // TODO(12.5): who is in it
};

Chat::Chat(Log log, std::size_t most_queued)
    : room_(new Room{std::move(log), most_queued}) {}

// It grows: 12.5 lets clients in, 12.6 tells the others what they say, 12.7
// sees them go.
void Chat::join(std::shared_ptr<Socket>) {
  TODO("12.5", "take the name, and let the client in or tell it why not");
}

std::vector<std::string> Chat::names() const {
  TODO("12.5", "the names of all members");
}

}  // namespace net
