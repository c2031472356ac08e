// What goes over a TLS connection is changed at random on its way. Nobody
// crashes or hangs, nobody believes a peer that is not to be believed, and no
// byte is delivered that was not sent.
//
//   bazel test --config=asan --test_env=ROUNDS=5000 //tests/stress:all
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "chapters/14_tls_socket/tls_transport.h"
#include "common/testing/certificates/credentials.h"

namespace {

using net::IoResult;
using Random = std::mt19937;

// One direction of a wire in memory.
struct Stream {
  std::string bytes = {};
  bool ended = false;
};

struct End : net::Transport {
  End(Stream& in, Stream& out) : in(in), out(out) {}
  IoResult read(std::span<char> into) override {
    if (in.bytes.empty())
      return {.kind = in.ended ? IoResult::kEnd : IoResult::kWantsRead};
    std::size_t n = in.bytes.copy(into.data(), into.size());
    in.bytes.erase(0, n);
    return {.bytes = n};
  }
  IoResult write(std::span<const std::string_view> pieces) override {
    IoResult result;
    for (std::string_view piece : pieces) {
      out.bytes += piece;
      result.bytes += piece.size();
    }
    return result;
  }
  IoResult shutdown_write() override {
    out.ended = true;
    return {.kind = IoResult::kEnd};
  }
  int fd() const override { return -1; }
  void close() override { out.ended = true; }
  Stream &in, &out;
};

// One of the two who talk: agrees, says its piece, ends, and hears the other.
struct Talker {
  Talker(Stream& in, Stream& out, tls::Engine engine, std::string piece)
      : transport(std::make_unique<End>(in, out), std::move(engine)),
        piece(std::move(piece)) {}

  // False once it is over.
  bool turn() {
    if (over) return false;
    if (!agreed) return agree();
    if (!std::exchange(has_spoken, true)) {
      std::string_view words = piece;
      if (transport.write({&words, 1}).kind == IoResult::kFailed) return fail();
      transport.shutdown_write();
    }
    return hear();
  }

  bool agree() {
    IoResult result = transport.handshake();
    agreed = result.kind == IoResult::kEnd;
    return result.kind == IoResult::kFailed ? fail() : true;
  }

  bool hear() {
    std::array<char, 4096> buffer;
    IoResult result = transport.read(buffer);
    if (result.kind == IoResult::kBytes)
      heard.append(buffer.data(), result.bytes);
    if (result.kind == IoResult::kFailed) return fail();
    over = result.kind == IoResult::kEnd;
    whole = over && !transport.truncated();
    return !over;
  }

  bool fail() {
    transport.close();
    over = true;
    return false;
  }

  tls::TlsTransport transport;
  std::string piece, heard = {};
  bool agreed = false, has_spoken = false, over = false, whole = false;
};

// Changes one place of all that goes in one direction.
class Mutator {
 public:
  Mutator(Random& random, std::size_t length)
      : random_(random), at_(below(length + 1)) {}

  void change(Stream& stream, std::size_t before) {
    std::size_t fresh = stream.bytes.size() - before;
    if (at_ < passed_ || at_ >= passed_ + fresh) {
      passed_ += fresh;
      return;
    }
    mutate(stream, before + (at_ - passed_));
    passed_ = at_ + 1'000'000'000;  // never again
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

  void mutate(Stream& stream, std::size_t at) {
    std::string& bytes = stream.bytes;
    std::size_t length =
        1 + below(std::min<std::size_t>(bytes.size() - at,
                                        std::size_t{1} << below(9)));
    switch (below(7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(2) ? 0xff : below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 4:
        std::generate_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                        std::min(length, bytes.size() - at),
                        [&] { return static_cast<char>(below(256)); });
        break;
      case 5:
        bytes.insert(at, std::string(length, static_cast<char>(below(256))));
        break;
      case 6:
        bytes.erase(at);
        stream.ended = true;
        break;
    }
  }

  Random& random_;
  std::size_t at_, passed_ = 0;
};

std::shared_ptr<const tls::Context> client_context(const char* version) {
  tls::ContextOptions options;
  options.max_version = version;
  options.ca = graded::credential("ca-cert.pem");
  options.cert = graded::credential("client-cert.pem");
  options.key = graded::credential("client-key.pem");
  return tls::create_secure_context(options);
}

std::shared_ptr<const tls::Context> server_context(const std::string& name) {
  tls::ContextOptions options;
  options.ca = graded::credential("ca-cert.pem");
  options.cert = graded::credential(name + "-cert.pem");
  options.key = graded::credential(name + "-key.pem");
  return tls::create_secure_context(options);
}

class Mutations : public testing::Test {
 protected:
  static int rounds() {
    const char* wanted = std::getenv("ROUNDS");
    return wanted ? std::atoi(wanted) : 500;
  }

  // One conversation; the numbers of bytes that went in each direction.
  std::pair<std::size_t, std::size_t> talk(const tls::Context& of_client,
                                           const tls::Context& of_server,
                                           Mutator* up, Mutator* down) {
    Stream to_server, to_client;
    Talker client(to_client, to_server,
                  tls::new_client(of_client, {.servername = "localhost"}),
                  std::string(3000, 'c'));
    Talker server(to_server, to_client,
                  tls::new_server(of_server, {.request_cert = true}),
                  std::string(40'000, 's'));
    std::size_t sent = 0, answered = 0;
    auto turn = [](Talker& who, Stream& out, Mutator* mutator,
                   std::size_t& total) {
      std::size_t before = out.bytes.size();
      bool ended = out.ended;
      who.turn();
      total += out.bytes.size() - before;
      if (mutator && out.bytes.size() > before) mutator->change(out, before);
      return out.bytes.size() != before || out.ended != ended;
    };
    int turns = 0, idle = 0;
    while (!(client.over && server.over) && ++turns < 1000) {
      std::size_t waiting = to_server.bytes.size() + to_client.bytes.size();
      bool moved = turn(client, to_server, up, sent);
      moved = turn(server, to_client, down, answered) || moved;
      moved =
          moved || waiting != to_server.bytes.size() + to_client.bytes.size();
      // Both wait for bytes that are lost: as a time-out does, hang up.
      idle = moved ? 0 : idle + 1;
      if (idle > 20) to_server.ended = to_client.ended = true;
    }
    EXPECT_TRUE(client.over && server.over) << "they go on and on";
    EXPECT_EQ(client.heard, server.piece.substr(0, client.heard.size()));
    EXPECT_EQ(server.heard, client.piece.substr(0, server.heard.size()));
    EXPECT_TRUE(!client.whole || client.heard == server.piece);
    EXPECT_TRUE(!server.whole || server.heard == client.piece);
    believed_ = believed_ || client.agreed;
    whole_ += client.whole && server.whole;
    return {sent, answered};
  }

  void mutate(const std::string& server, const char* version) {
    auto of_client = client_context(version),
         of_server = server_context(server);
    auto [sent, answered] = talk(*of_client, *of_server, nullptr, nullptr);
    for (int round = 0; round < rounds(); ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      Random random(static_cast<unsigned>(round));
      bool goes_up = random() % 2;
      Mutator mutator(random, goes_up ? sent : answered);
      talk(*of_client, *of_server, goes_up ? &mutator : nullptr,
           goes_up ? nullptr : &mutator);
      if (HasFailure()) return;
    }
  }

  bool believed_ = false;  // a client has agreed
  int whole_ = 0;          // conversations of which nothing was lost
};

TEST_F(Mutations, OfTls13) {
  mutate("server", "TLSv1.3");
  EXPECT_GE(whole_, 1) << "the one that nobody has changed";
}

TEST_F(Mutations, OfTls12) {
  mutate("server", "TLSv1.2");
  EXPECT_GE(whole_, 1) << "the one that nobody has changed";
}

TEST_F(Mutations, OfAServerThatIsNotToBeBelieved) {
  mutate("unknown", "TLSv1.3");
  mutate("expired", "TLSv1.2");
  EXPECT_FALSE(believed_);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
