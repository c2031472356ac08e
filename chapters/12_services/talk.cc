#include <chrono>
#include <memory>
#include <string>

#include "chapters/12_services/services.h"
#include "common/todo.h"

namespace net {

void echo(std::shared_ptr<Socket>) {
  TODO("12.2", "send every byte back, no faster than the client reads");
}

void answer(std::shared_ptr<Socket>, std::chrono::milliseconds, Log) {
  TODO("12.3", "a name, then an answer to each line");
}

void introduce(std::shared_ptr<Socket>, std::string, int, Log) {
  TODO("12.4", "the name and the lines, as fast as the server reads");
}

}  // namespace net
