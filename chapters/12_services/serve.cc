#include <memory>

#include "chapters/12_services/services.h"
#include "common/todo.h"

namespace net {

std::shared_ptr<Server> serve(EventLoop&, ListenOptions, Service) {
  TODO("12.1", "listen, and give each client to the service");
}

}  // namespace net
