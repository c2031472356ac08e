// What a driver can ask of chapter 08's code: the steps of driver_script.h.
#include "chapters/08_events/event.h"
#include "common/testing/commands.h"
#include "tests/08_events/driver_script.h"

using namespace graded;

namespace {

// Plays a script on a real event.
class Player : public Script {
 public:
  Player() {
    event_.when_added([this] { say("added"); });
  }

 private:
  void add(const std::string& name, Times times, std::string then) override {
    auto listener = [this, name, then](const std::string& argument) {
      called(name, argument, then);
    };
    ids_[name] =
        times == Times::kOnce ? event_.once(listener) : event_.on(listener);
  }
  bool off(const std::string& name) override { return event_.off(ids_[name]); }
  void clear() override { event_.clear(); }
  std::size_t count() override { return event_.listener_count(); }
  bool emit(const std::string& argument) override {
    return event_.emit(argument);
  }

  net::Event<const std::string&> event_;
  std::map<std::string, net::ListenerId> ids_;
};

}  // namespace

int main() {
  return obey({{"play", [](const Order& order) -> Words {
                  return Player().play(order.words);
                }}});
}
