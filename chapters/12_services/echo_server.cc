// echo_server: sends back what each client sends.
//
//   echo_server --port 8080             127.0.0.1:8080
//   echo_server --port 8080 --host ::   every interface
//   echo_server --path /tmp/echo.sock   a unix socket
//   echo_server --port 8443 --tls --cert cert.pem --key key.pem
#include "chapters/07_event_loop/event_loop.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/run_program.h"
#include "chapters/12_services/run_server.h"
#include "chapters/12_services/services.h"

int main(int argc, char** argv) {
  return net::run_program(
      argc, argv,
      "echo_server --port N [--host H] | --path P  [--backend poll]\n"
      "    [--tls --cert FILE --key FILE [--ca FILE --request-cert] "
      "[--alpn A,B]]",
      0, [](const net::Options& options) {
        net::EventLoop loop;
        return net::run_server(loop, options, net::echo);
      });
}
