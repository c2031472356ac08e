// chat_server: one room for all who connect. nc is a client, or chat_client.
//
//   chat_server --port 8080             127.0.0.1:8080
//   chat_server --path /tmp/chat.sock   a unix socket
#include <iostream>
#include <memory>
#include <string>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/run_program.h"
#include "chapters/12_services/run_server.h"
#include "chapters/12_services/services.h"

int main(int argc, char** argv) {
  return net::run_program(
      argc, argv,
      "chat_server --port N [--host H] | --path P  [--backend poll]", 0,
      [](const net::Options& options) {
        net::EventLoop loop;
        net::Chat chat(
            [](const std::string& line) { std::cout << line << std::endl; });
        return net::run_server(
            loop, options,
            [&](std::shared_ptr<net::Socket> client) { chat.join(client); });
      });
}
