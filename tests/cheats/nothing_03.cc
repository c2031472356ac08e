// No chapter 03 at all.
#include "server.h"

namespace net {

int listen_on(const Endpoint&, int) {
  return -1;
}

Endpoint local_endpoint(int) {
  return Endpoint::parse("127.0.0.1:1");
}

bool echo(int) {
  return true;
}

int accept_one(int, int) {
  return -1;
}

bool serve(int, int, const Handler&) {
  return true;
}

}  // namespace net
