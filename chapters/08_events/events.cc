#include "chapters/08_events/event.h"
int main() {
  net::Event<int> e;
  e([](int) {});
  return !e.emit(1);
}
