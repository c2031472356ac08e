// A server that is several sites: it echoes, and says what it knows of each
// client.
//
//   sites PORT FOLDER NAME [HOST=NAME]...
//
// NAME is for FOLDER/NAME-cert.pem and FOLDER/NAME-key.pem: the server's own,
// and those for clients who ask for HOST. Clients may show a certificate of
// FOLDER/ca-cert.pem, and agree on "echo" or "chat".
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/15_tls_server/tls_server.h"
#include "common/error.h"
#include "common/program.h"

namespace {

tls::ContextOptions site(const std::string& folder, const std::string& name) {
  tls::ContextOptions options;
  options.cert = contents_of(folder + "/" + name + "-cert.pem");
  options.key = contents_of(folder + "/" + name + "-key.pem");
  options.ca = contents_of(folder + "/ca-cert.pem");
  return options;
}

tls::ServerOptions own_site(const std::string& folder,
                            const std::string& name) {
  tls::ServerOptions options;
  static_cast<tls::ContextOptions&>(options) = site(folder, name);
  options.alpn_protocols = {"echo", "chat"};
  options.request_cert = true;
  options.reject_unauthorized = false;
  return options;
}

void greet(std::shared_ptr<tls::TlsSocket> socket) {
  auto shown = socket->peer_certificate();
  std::cout << "secure: " << socket->protocol().value_or("?") << ", for \""
            << socket->servername() << "\", protocol \""
            << socket->alpn_protocol() << "\", "
            << (socket->is_session_reused() ? "known" : "new") << ", "
            << (socket->authorized() ? shown->subject["CN"]
                                     : socket->authorization_error())
            << std::endl;
  socket->on_error([](const net::Error& error) {
    std::cout << "error " << error.code << std::endl;
  });
  socket->on_data([it = socket.get()](std::string_view b) { it->write(b); });
}

void serve(int port, int argc, char** argv) {
  net::EventLoop loop;
  const std::string folder = argv[2];
  auto server = tls::create_server(loop, own_site(folder, argv[3]), greet);
  for (int i = 4; i < argc; ++i) {
    std::string_view it = argv[i];
    std::size_t at = it.find('=');
    if (at == it.npos)
      throw std::runtime_error("no HOST=NAME: " + std::string(it));
    server->add_context(std::string(it.substr(0, at)),
                        site(folder, std::string(it.substr(at + 1))));
  }
  server->on_tls_client_error([](const net::Error& error, auto socket) {
    std::cout << "failed " << error.code << std::endl;
    socket->destroy();
  });
  server->listen(port, "127.0.0.1", 511, [&] {
    std::cout << "listening " << server->address()->port << std::endl;
  });
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  int port = argc < 4 ? -1 : number_in(argv[1]);
  if (port < 0) {
    std::cerr << "usage: sites PORT FOLDER NAME [HOST=NAME]...\n";
    return 2;
  }
  try {
    serve(port, argc, argv);
  } catch (const net::Error& error) {
    std::cerr << "sites: " << error.message << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "sites: " << error.what() << "\n";
    return 1;
  }
}
