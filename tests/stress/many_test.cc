// 5,000 connections opened, used and closed: memory and descriptors are back
// at the start.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/11_server/server.h"
#include "gtest/gtest.h"
#include "tests/stress/usage.h"

namespace {

constexpr int kConnections = 5000;
constexpr int kAtOnce = 100;

// Opens them, a hundred at a time; each sends a line, gets it back, and ends.
class Round {
 public:
  void run() {
    auto server = net::create_server(loop_, {}, [](auto socket) {
      socket->on_data([socket](std::string_view b) { socket->write(b); });
    });
    server->listen(0, "127.0.0.1", 511, [this, server = server.get()] {
      for (int i = 0; i < kAtOnce; ++i) connect(*server);
    });
    loop_.run();
    EXPECT_EQ(served_, kConnections);
  }

 private:
  void connect(net::Server& server) {
    if (started_ == kConnections) return;
    ++started_;
    auto socket = net::connect(loop_, server.address()->port, "127.0.0.1");
    socket->write("hello\n");
    socket->on_data([socket](std::string_view) { socket->end(); });
    socket->on_close([this, &server, socket](bool had_error) {
      EXPECT_FALSE(had_error);
      EXPECT_EQ(socket->bytes_read(), 6u);
      if (++served_ == kConnections) server.close();
      connect(server);
    });
  }

  net::EventLoop loop_;
  int started_ = 0, served_ = 0;
};

}  // namespace

TEST(Many, ConnectionsLeaveNothingBehind) {
  Round().run();  // what is allocated once, and kept, is there after this
  std::ptrdiff_t descriptors = stress::descriptors_open();
  std::size_t memory = stress::bytes_in_use();

  Round().run();

  EXPECT_EQ(stress::descriptors_open(), descriptors);
  EXPECT_LE(stress::bytes_in_use(), memory + 4096);
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
