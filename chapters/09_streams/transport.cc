#include "chapters/09_streams/transport.h"

#include "common/todo.h"

namespace net {

IoResult FdTransport::read(std::span<char>) {
  TODO("09.1", "one recv(), and what its answer means");
}

IoResult FdTransport::write(std::span<const std::string_view>) {
  TODO("09.2", "one call with all the pieces, and what its answer means");
}

IoResult FdTransport::shutdown_write() {
  TODO("09.3", "FIN; a connection that is gone already needs none");
}

}  // namespace net
