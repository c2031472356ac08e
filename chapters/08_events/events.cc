// The order of calls, here and in Node.
//
//   events          runs the scenarios of this file
//   events --node   prints the same scenarios for Node: events --node | node -
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include "chapters/08_events/event.h"

namespace {

void say(const std::string& what) {
  std::cout << what << "\n";
}

std::function<void()> says(const std::string& what) {
  return [what] { say("  " + what); };
}

void changes() {
  say("a removes b and adds c");
  net::Event<> event;
  net::ListenerId b = 0;
  event([&] {
    say("  a");
    event.off(b);
    event.once(says("c"));
  });
  b = event(says("b"));
  event.emit();
  say("  again");
  event.emit();
}

void nested() {
  say("a emits, b is a one-time listener");
  net::Event<int> event;
  event([&](int depth) {
    say("  a, depth " + std::to_string(depth));
    if (depth == 1) event.emit(2);
    if (depth == 1) say("  a goes on");
  });
  event.once([](int depth) { say("  b, depth " + std::to_string(depth)); });
  event([](int depth) { say("  c, depth " + std::to_string(depth)); });
  event.emit(1);
}

void throwing() {
  say("a throws");
  net::Event<> event;
  event.once([] { throw net::Error("ECODE", "by a"); });
  event(says("b"));
  try {
    event.emit();
  } catch (const std::exception& error) {
    say(std::string("  caught: ") + error.what());
  }
  event.emit();
}

void unheard() {
  say("nobody listens");
  net::Event<> event;
  say(event.emit() ? "  true" : "  false");
  net::Event<const net::Error&> on_error;
  try {
    net::emit_error(on_error, net::Error("ECODE", "unheard of"));
  } catch (const std::exception& error) {
    say(std::string("  caught: ") + error.what());
  }
}

const char kForNode[] = R"js(
const { EventEmitter } = require('events');
const says = (what) => () => console.log('  ' + what);
let event;

console.log('a removes b and adds c');
event = new EventEmitter();
const b = says('b');
event.on('x', () => {
  console.log('  a');
  event.off('x', b);
  event.once('x', says('c'));
});
event.on('x', b);
event.emit('x');
console.log('  again');
event.emit('x');

console.log('a emits, b is a one-time listener');
event = new EventEmitter();
event.on('x', (depth) => {
  console.log('  a, depth ' + depth);
  if (depth === 1) event.emit('x', 2);
  if (depth === 1) console.log('  a goes on');
});
event.once('x', (depth) => console.log('  b, depth ' + depth));
event.on('x', (depth) => console.log('  c, depth ' + depth));
event.emit('x', 1);

console.log('a throws');
event = new EventEmitter();
event.once('x', () => { throw new Error('by a'); });
event.on('x', says('b'));
try { event.emit('x'); } catch (e) { console.log('  caught: ' + e.message); }
event.emit('x');

console.log('nobody listens');
event = new EventEmitter();
console.log('  ' + event.emit('x'));
try {
  event.emit('error', new Error('unheard of'));
} catch (e) { console.log('  caught: ' + e.message); }
)js";

}  // namespace

int main(int argc, char** argv) {
  std::string option = argc > 1 ? argv[1] : "";
  if (argc > 2 || (argc == 2 && option != "--node")) {
    std::cerr << "usage: events [--node]\n";
    return 2;
  }
  if (option == "--node") {
    std::cout << kForNode;
    return 0;
  }
  try {
    for (auto scenario : {changes, nested, throwing, unheard}) scenario();
  } catch (const std::exception& error) {
    std::cerr << "events: " << error.what() << "\n";
    return 1;
  }
}
