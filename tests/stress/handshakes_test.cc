// 1,000 clients who never finish their handshake: others are served all the
// same, what they cost has a limit, and in the end nothing of them is left.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/13_blocking_tls/engine.h"
#include "chapters/15_tls_server/tls_server.h"
#include "common/testing/certificates/credentials.h"
#include "gtest/gtest.h"
#include "tests/stress/usage.h"

namespace {

using namespace std::chrono_literals;

constexpr int kClients = 1000;
constexpr int kLimit = 100;  // of handshakes at once

// 1,000, or as many as may have two descriptors here.
int clients_allowed() {
  constexpr rlim_t kOthers = 64;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 2 * kClients + kOthers);
  ::setrlimit(RLIMIT_NOFILE, &files);
  int n = static_cast<int>(files.rlim_cur - kOthers) / 2;
  if (n >= kClients) return kClients;
  std::cout << "only " << n << " clients: `ulimit -Hn` says that no more than "
            << files.rlim_max << " descriptors are allowed here\n";
  return n;
}

// What a client says first.
std::string first_message() {
  tls::ContextOptions options;
  options.ca = graded::credential("ca-cert.pem");
  tls::Engine engine =
      tls::new_client(tls::Context(options), {.servername = "localhost"});
  BIO* made = BIO_new(BIO_s_mem());
  SSL_set_bio(engine.get(), BIO_new(BIO_s_mem()), made);
  SSL_do_handshake(engine.get());
  char* bytes = nullptr;
  long size = BIO_get_mem_data(made, &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

// A server, and those who never finish. Its time moves by hand.
class Crowd {
 public:
  explicit Crowd(int max_handshakes) {
    tls::ServerOptions options;
    options.key = graded::credential("server-key.pem");
    options.cert = graded::credential("server-cert.pem");
    options.max_handshakes = max_handshakes;
    server_ = tls::create_server(loop_, options, [](auto socket) {
      socket->on_data([socket](std::string_view b) { socket->write(b); });
    });
    server_->on_tls_client_error([this](const net::Error& error, auto socket) {
      ++failed[error.code];
      socket->destroy();
    });
    server_->listen(0, "127.0.0.1");
    while (!server_->listening()) loop_.run_once(100ms);
  }

  // One says nothing, one begins a message, one never answers.
  void grow(int n) {
    for (int i = 0; i < n; ++i) {
      clients_.push_back(connect());
      std::string_view said = hello_;
      said = said.substr(0, i % 3 == 0 ? 0 : i % 3 == 1 ? 7 : said.size());
      ::send(clients_.back().get(), said.data(), said.size(), MSG_NOSIGNAL);
      settle();
    }
  }

  // What somebody gets back who does finish.
  std::string echo(const std::string& said) {
    tls::ConnectOptions options;
    options.host = "127.0.0.1";
    options.port = server_->address()->port;
    options.servername = "localhost";
    options.ca = graded::credential("ca-cert.pem");
    auto socket = tls::connect(loop_, options);
    std::string got;
    bool over = false;
    socket->on_data([&](std::string_view bytes) {
      if ((got += bytes) == said) socket->end();
    });
    socket->on_error([&](const net::Error& error) { got = error.message; });
    socket->on_close([&](bool) { over = true; });
    socket->write(said);
    while (!over) loop_.run_once(100ms);
    settle();
    return got;
  }

  void pass(std::chrono::milliseconds time) {
    now_ += time;
    settle();
  }

  int connections() {
    int count = -1;
    server_->get_connections([&](const net::Error*, int n) { count = n; });
    while (count < 0) loop_.run_once(100ms);
    return count;
  }

  void leave() {
    clients_.clear();
    settle();
  }

  std::map<std::string, int> failed;  // by code

 private:
  net::Fd connect() {
    net::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{
        AF_INET,
        htons(static_cast<std::uint16_t>(server_->address()->port)),
        {htonl(INADDR_LOOPBACK)},
        {}};
    EXPECT_EQ(
        ::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name),
        0);
    return fd;
  }

  void settle() {
    for (int i = 0; i < 5; ++i) loop_.run_once(0ms);
  }

  std::chrono::milliseconds now_{0};
  net::EventLoop loop_{std::make_unique<net::PollPoller>(),
                       [this] { return net::EventLoop::TimePoint(now_); }};
  std::shared_ptr<tls::Server> server_;
  std::vector<net::Fd> clients_;
  const std::string hello_ = first_message();
};

}  // namespace

TEST(Handshakes, OfWhichTheOldestAreGivenUp) {
  int clients = clients_allowed();
  Crowd crowd(kLimit);
  crowd.grow(2 * kLimit);
  std::size_t memory = stress::bytes_in_use();

  crowd.grow(clients - 2 * kLimit);

  EXPECT_EQ(crowd.connections(), kLimit);
  EXPECT_EQ(crowd.failed["ERR_TLS_TOO_MANY_HANDSHAKES"], clients - kLimit);
  // One more or less of those who have an engine at work.
  EXPECT_LE(stress::bytes_in_use(), memory + 128 * 1024);
  EXPECT_EQ(crowd.echo("hello"), "hello");
}

TEST(Handshakes, WithoutALimitEndByTheClock) {
  int clients = clients_allowed();
  Crowd crowd(0);
  auto come_and_go = [&] {
    crowd.grow(clients);
    EXPECT_EQ(crowd.connections(), clients);
    EXPECT_EQ(crowd.echo("hello, you too"), "hello, you too");
    crowd.pass(120s);
    EXPECT_EQ(crowd.connections(), 0);
    crowd.leave();
  };
  come_and_go();  // what is allocated once, and kept, is there after this
  std::ptrdiff_t descriptors = stress::descriptors_open();
  std::size_t memory = stress::bytes_in_use();

  come_and_go();

  EXPECT_EQ(crowd.failed["ERR_TLS_HANDSHAKE_TIMEOUT"], 2 * clients);
  EXPECT_EQ(stress::descriptors_open(), descriptors);
  // Not even 64 bytes for each of them.
  EXPECT_LE(stress::bytes_in_use(), memory + 64 * kClients);
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
