// Talks TLS: sends standard input, and prints the reply.
//
//   tls_talk HOST PORT [--ca FILE] [--cert FILE --key FILE] [--alpn A,B]
//   tls_talk --listen PORT --cert FILE --key FILE [--ca FILE] [--alpn A,B]
//
// A server prints what each client says, and sends it back, one client after
// the other. With --ca it asks for a certificate.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>
#include <stdexcept>
#include <vector>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/02_blocking_client/client.h"
#include "chapters/03_blocking_server/server.h"
#include "chapters/05_unix_sockets/fd.h"
#include "chapters/13_blocking_tls/connection.h"
#include "common/program.h"

namespace {

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Arguments {
  std::vector<std::string> words;
  std::map<std::string, std::string> options;
};

Arguments parse(int argc, char** argv) {
  const std::vector<std::string> known{"--listen", "--ca",         "--cert",
                                       "--key",    "--passphrase", "--alpn"};
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (!word.starts_with("--")) {
      arguments.words.push_back(word);
      continue;
    }
    if (std::find(known.begin(), known.end(), word) == known.end())
      throw Usage(word + " is not an option");
    if (++i == argc) throw Usage(word + " needs a value");
    arguments.options[word] = argv[i];
  }
  std::size_t wanted = arguments.options.count("--listen") ? 0 : 2;
  if (arguments.words.size() != wanted) throw Usage("HOST PORT, or --listen");
  return arguments;
}

std::string value(const Arguments& arguments, const std::string& option) {
  auto found = arguments.options.find(option);
  return found == arguments.options.end() ? "" : found->second;
}

// The bytes of the file that the option names; none without the option.
std::string contents(const Arguments& arguments, const std::string& option) {
  std::string path = value(arguments, option);
  return path.empty() ? "" : contents_of(path);
}

tls::ContextOptions context_options(const Arguments& arguments) {
  tls::ContextOptions options;
  options.ca = contents(arguments, "--ca");
  options.cert = contents(arguments, "--cert");
  options.key = contents(arguments, "--key");
  options.passphrase = value(arguments, "--passphrase");
  return options;
}

tls::Protocols protocols(const Arguments& arguments) {
  tls::Protocols names;
  std::string list = value(arguments, "--alpn");
  while (!list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    names.push_back(list.substr(0, comma));
    list.erase(0, comma + 1);
  }
  return names;
}

void describe(const tls::Connection& connection) {
  std::cerr << connection.protocol() << ", " << connection.cipher();
  std::string alpn = connection.alpn_protocol();
  if (!alpn.empty()) std::cerr << ", " << alpn;
  if (!connection.servername().empty())
    std::cerr << ", for " << connection.servername();
  std::cerr << "\n";
}

int talk(const Arguments& arguments) {
  const std::string& host = arguments.words[0];
  tls::Context context(context_options(arguments));
  net::Fd fd(net::connect_any(net::resolve(host, arguments.words[1])));
  if (!fd) throw std::system_error(errno, std::generic_category(), "connect");
  auto connection = tls::Connection::connect(
      std::move(fd), context,
      {.servername = host, .alpn_protocols = protocols(arguments)});
  describe(connection);
  for (std::string line; std::getline(std::cin, line);)
    connection.write(line + "\n");
  connection.shutdown();
  char buffer[16384];
  while (std::size_t n = connection.read(buffer))
    std::cout.write(buffer, static_cast<std::streamsize>(n)).flush();
  return 0;
}

void serve_one(net::Fd fd, const tls::Context& context,
               const tls::EngineOptions& options) {
  auto client = tls::Connection::accept(std::move(fd), context, options);
  describe(client);
  char buffer[16384];
  while (std::size_t n = client.read(buffer)) {
    std::cout.write(buffer, static_cast<std::streamsize>(n)).flush();
    client.write({buffer, n});
  }
  client.shutdown();
}

int serve(const Arguments& arguments) {
  tls::Context context(context_options(arguments));
  tls::EngineOptions options{
      .alpn_protocols = protocols(arguments),
      .request_cert = !value(arguments, "--ca").empty(),
  };
  auto endpoint =
      net::Endpoint::parse("127.0.0.1:" + value(arguments, "--listen"));
  net::Fd listener(net::listen_on(endpoint));
  if (!listener)
    throw std::system_error(errno, std::generic_category(), "listen");
  std::cout << "listening " << net::local_endpoint(listener.get()).port()
            << std::endl;
  while (true) {
    net::Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    try {
      serve_one(std::move(client), context, options);
    } catch (const net::Error& error) {
      std::cerr << error.code << ": " << error.message << "\n";
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Arguments arguments = parse(argc, argv);
    return arguments.words.empty() ? serve(arguments) : talk(arguments);
  } catch (const Usage& error) {
    std::cerr << "tls_talk: " << error.what() << "\n"
              << "usage: tls_talk HOST PORT [OPTION VALUE]...\n"
                 "       tls_talk --listen PORT --cert FILE --key FILE "
                 "[OPTION VALUE]...\n"
                 "options: --ca FILE, --cert FILE, --key FILE, "
                 "--passphrase WORD, --alpn A,B\n";
    return 2;
  } catch (const net::Error& error) {
    std::cerr << "tls_talk: " << error.code << ": " << error.message << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "tls_talk: " << error.what() << "\n";
    return 1;
  }
}
