// No chapter 02 at all.
#include "client.h"

namespace net {

int connect_any(const std::vector<Endpoint>&, std::chrono::milliseconds) {
  return 0;
}

bool send_all(int, std::string_view) {
  return true;
}

ssize_t receive_some(int, void*, std::size_t) {
  return 0;
}

bool receive_all(int, std::string&) {
  return true;
}

bool shutdown_write(int) {
  return true;
}

bool set_receive_timeout(int, std::chrono::milliseconds) {
  return true;
}

}  // namespace net
