#include "tests/oracle/recorder.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/07_event_loop/poller.h"
#include "common/encoding.h"
#include "common/testing/openssl_names.h"

namespace oracle {
namespace {

constexpr std::chrono::seconds kLimit{9};

// Time that passes only while the loop waits, and never more than it asked for:
// however busy the machine is, two timers come in the same order.
EventLoop::TimePoint moment = {};

class Waiting : public PollPoller {
 public:
  int wait(std::chrono::milliseconds most, std::vector<Ready>& ready) override {
    auto start = std::chrono::steady_clock::now();
    int n = PollPoller::wait(most, ready);
    std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    moment += most.count() < 0 ? took : std::min<decltype(took)>(took, most);
    return n;
  }
};

std::map<std::string, std::vector<std::vector<Json>>> trace;
std::string folder;

std::map<std::string, void (*)()>& twins() {
  static std::map<std::string, void (*)()> all;
  return all;
}

std::string as_json(const std::string& name) {
  std::string text = "{\"scenario\":" + Json(name).text + ",\"trace\":{";
  for (const auto& [actor, events] : trace) {
    if (text.back() != '{') text += ",";
    std::vector<Json> list(events.begin(), events.end());
    text += Json(actor).text + ":" + Json(list).text;
  }
  return text + "}}";
}

// Bytes as they are: what is no UTF-8 is for the reader to make out.
void record_data(const std::string& actor, std::string_view data) {
  std::vector<std::vector<Json>>& events = trace[actor];
  if (events.empty() || events.back()[0].text != "\"data\"")
    return rec(actor, "data", data);
  // Where a stream is cut is nothing to rely on: adjacent data is one event.
  std::string& last = events.back()[1].text;
  last.pop_back();
  last += Json(data).text.substr(1);
}

std::vector<Json> names_of(
    const std::vector<std::pair<const char*, bool>>& fields) {
  std::vector<Json> names;
  for (const auto& [name, has_value] : fields)
    if (has_value) names.push_back(name);
  return names;
}

}  // namespace

EventLoop loop(std::make_unique<Waiting>(), [] { return moment; });

void run() {
  loop.run();
}

TimerId later(int ms, EventLoop::Task task) {
  return loop.set_timeout(std::chrono::milliseconds(ms), std::move(task));
}

TimerId every(int ms, EventLoop::Task task) {
  return loop.set_interval(std::chrono::milliseconds(ms), std::move(task));
}

std::string tmp(const std::string& name) {
  if (folder.empty()) {
    folder = std::filesystem::temp_directory_path() / "oracle-XXXXXX";
    if (!::mkdtemp(folder.data()))
      throw std::runtime_error("mkdtemp " + folder);
  }
  return folder + "/" + name;
}

Json::Json(std::string_view value) : text("\"") {
  for (char byte : value) {
    if (byte == '"' || byte == '\\') {
      text += {'\\', byte};
    } else if (static_cast<unsigned char>(byte) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      text += escaped;
    } else {
      text += byte;
    }
  }
  text += '"';
}

Json::Json(const std::vector<Json>& values) : text("[") {
  for (const Json& value : values)
    text += (text.size() > 1 ? "," : "") + value.text;
  text += "]";
}

void add(const std::string& actor, const std::vector<Json>& event) {
  trace[actor].push_back(event);
}

void mark(const std::string& actor, std::string_view what) {
  rec(actor, "mark", what);
}

Json code(const Error* error) {
  return error ? Json(error->code) : Json(nullptr);
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::vector<Json> keys(const SocketAddress& address) {
  return names_of({{"address", !address.address.empty()},
                   {"family", !address.family.empty()},
                   {"port", address.port != 0}});
}

std::vector<Json> keys(const DropInfo& info) {
  return names_of({{"localAddress", !info.local_address.empty()},
                   {"localFamily", !info.local_family.empty()},
                   {"localPort", info.local_port != 0},
                   {"remoteAddress", !info.remote_address.empty()},
                   {"remoteFamily", !info.remote_family.empty()},
                   {"remotePort", info.remote_port != 0}});
}

std::string sha(std::string_view bytes) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           hash);
  std::string_view start(reinterpret_cast<const char*>(hash), 8);
  return TextDecoder(Encoding::kHex).feed(start);
}

SocketPtr watch(const std::string& actor, SocketPtr socket, Watched what) {
  if (what.connect) socket->on_connect([=] { rec(actor, "connect"); });
  if (what.data)
    socket->on_data([=](std::string_view data) { record_data(actor, data); });
  if (what.end) socket->on_end([=] { rec(actor, "end"); });
  socket->on_timeout([=] { rec(actor, "timeout"); });
  socket->on_error([=](const Error& e) {
    rec(actor, "error", graded::as_openssl_3_0(e.code));
  });
  socket->on_close([=](bool had_error) { rec(actor, "close", had_error); });
  return socket;
}

ServerPtr watch_server(const std::string& actor, ServerPtr server) {
  server->on_listening([=] { rec(actor, "listening"); });
  server->on_error([=](const Error& e) { rec(actor, "error", e.code); });
  server->on_close([=] { rec(actor, "close"); });
  return server;
}

ServerPtr create_server(std::function<void(SocketPtr)> connection) {
  return net::create_server(loop, {}, std::move(connection));
}

ServerPtr create_server(ServerOptions options,
                        std::function<void(SocketPtr)> connection) {
  return net::create_server(loop, options, std::move(connection));
}

void listen(const ServerPtr& server, std::function<void()> listening) {
  server->listen({.port = 0, .host = LO}, std::move(listening));
}

int port_of(const ServerPtr& server) {
  return server->address().value().port;
}

SocketPtr connect(const ServerPtr& server, std::function<void()> connected) {
  return net::connect(loop, port_of(server), LO, std::move(connected));
}

SocketPtr connect(ConnectOptions options) {
  return net::connect(loop, std::move(options));
}

SocketPtr new_socket(ConnectOptions options) {
  return Socket::create(loop, std::move(options));
}

void ignore_errors(const SocketPtr& socket) {
  socket->on_error([](const Error&) {});
}

Twin::Twin(const char* name, void (*body)()) {
  twins()[name] = body;
}

// With a name: its trace. Without one: the names.
int main(int argc, char** argv) {
  if (argc < 2) {
    for (const auto& [name, body] : twins()) std::cout << name << "\n";
    return 0;
  }
  std::string name = argv[1];
  loop.unref(loop.set_timeout(kLimit, [&] {
    std::cerr << "does not end: " << as_json(name) << std::endl;
    std::filesystem::remove_all(folder);
    std::_Exit(9);
  }));
  try {
    twins().at(name)();
  } catch (const std::exception& error) {
    std::cerr << error.what() << " left run(): " << as_json(name) << "\n";
    std::filesystem::remove_all(folder);
    return 1;
  }
  if (!folder.empty()) std::filesystem::remove_all(folder);
  std::cout << as_json(name) << std::endl;
  return 0;
}

}  // namespace oracle

int main(int argc, char** argv) {
  return oracle::main(argc, argv);
}
