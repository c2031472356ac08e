// talker: the two sides of a conversation.
//
//   talker serve SECONDS --port 8080    answers, and ends who is idle so long
//   talker NAME LINES --port 8080       says its name, and so many lines
//
// Both take --path P in place of the port.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "chapters/12_services/connect_to.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/run_program.h"
#include "chapters/12_services/run_server.h"
#include "chapters/12_services/services.h"

namespace {

void print(const std::string& line) {
  std::cout << line << std::endl;
}

int talk(const net::Options& options) {
  net::EventLoop loop;
  int number = net::to_number(options.words[1], 1000000000);
  if (options.words[0] == "serve")
    return net::run_server(
        loop, options, [number](std::shared_ptr<net::Socket> client) {
          net::answer(client, std::chrono::seconds(number), print);
        });
  auto server = net::connect_to(loop, options);
  server->set_timeout(std::chrono::seconds(30));
  net::introduce(server, options.words[0], number, print);
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return net::run_program(
      argc, argv,
      "talker serve SECONDS | NAME LINES  --port N [--host H] | --path P", 2,
      talk);
}
