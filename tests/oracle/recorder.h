// What every twin records with: scenarios/recorder.js, in C++.
//
//   SCENARIO("002_connect_ready_order") {
//     ServerPtr srv = create_server([](auto s) { s->end("hi"); });
//     SocketPtr c;
//     listen(srv, [&] {
//       c = watch("client", connect(srv));
//       c->on_ready([&] { rec("client", "ready"); });
//       c->on_close([&](bool) { srv->close(); });
//     });
//     run();
//   }
//
// A twin does what the scenario of its name does in Node, line by line. Its
// variables live until run() has returned, so listeners may refer to them.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/08_events/event.h"
#include "chapters/10_socket/socket.h"
#include "chapters/11_server/server.h"
#include "common/error.h"

namespace oracle {

using namespace net;  // NOLINT: the twins read as Node's scripts do
using SocketPtr = std::shared_ptr<Socket>;
using ServerPtr = std::shared_ptr<Server>;

inline const std::string LO = "127.0.0.1";
extern EventLoop loop;
void run();  // until nothing is left to wait for
TimerId later(int ms, EventLoop::Task task);
TimerId every(int ms, EventLoop::Task task);
std::string tmp(const std::string& name);  // in a folder of the twin's own

// A value as JSON.
struct Json {
  std::string text;
  Json(std::nullptr_t) : text("null") {}
  Json(bool value) : text(value ? "true" : "false") {}
  Json(std::integral auto value) : text(std::to_string(value)) {}
  Json(std::string_view value);
  Json(const std::string& value) : Json(std::string_view(value)) {}
  Json(const char* value) : Json(std::string_view(value)) {}
  Json(const std::vector<Json>& values);
  Json(const std::optional<SocketAddress>& value)
      : Json(value ? Json(value->address) : Json(nullptr)) {}
};

void add(const std::string& actor, const std::vector<Json>& event);
// One event of `actor`: a name, and arguments.
template <typename... Values>
void rec(const std::string& actor, const Values&... event) {
  add(actor, {Json(event)...});
}
void mark(const std::string& actor, std::string_view what);

// The code, null without an error; null for what has no value in Node.
Json code(const Error* error);
Json or_null(const std::string& text);
// The fields that have a value, as Object.keys() names them.
std::vector<Json> keys(const SocketAddress& address);
std::vector<Json> keys(const DropInfo& info);
std::string sha(std::string_view bytes);

// Records the usual events, but those that are left out.
struct Watched {
  bool connect = true, data = true, end = true;
};
SocketPtr watch(const std::string& actor, SocketPtr socket, Watched what = {});
ServerPtr watch_server(const std::string& actor, ServerPtr server);

// As Node has them: without a word of the loop.
ServerPtr create_server(std::function<void(SocketPtr)> connection = {});
ServerPtr create_server(ServerOptions options,
                        std::function<void(SocketPtr)> connection);
void listen(const ServerPtr& server, std::function<void()> listening = {});
int port_of(const ServerPtr& server);
SocketPtr connect(const ServerPtr& server,
                  std::function<void()> connected = {});
SocketPtr connect(ConnectOptions options);
SocketPtr new_socket(ConnectOptions options = {});
void ignore_errors(const SocketPtr& socket);

// Adds a twin to those that main() knows.
struct Twin {
  Twin(const char* name, void (*body)());
};

}  // namespace oracle

#define ORACLE_JOIN_(a, b) a##b
#define ORACLE_JOIN(a, b) ORACLE_JOIN_(a, b)
#define SCENARIO(name)                           \
  static void ORACLE_JOIN(twin_, __LINE__)();    \
  static const Twin ORACLE_JOIN(add_, __LINE__)( \
      name, &ORACLE_JOIN(twin_, __LINE__));      \
  static void ORACLE_JOIN(twin_, __LINE__)()
