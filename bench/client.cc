// client: gives a server a fixed amount of work, sees that each byte comes back
// as it was sent, and says what that cost the server.
//
//   client --port P --pid SERVER --connections 64 --bytes 64 --messages 40000
//
// Each connection sends a message when the last one is back, until so many are
// back in all; a first tenth of them does not count. One message of many bytes
// per connection is bulk. --short-lived: each message has a connection of its
// own. --idle N: N more connections, which have had one message each. --tls:
// by TLS, and with --resume each connection resumes the session of another one.
//
// Prints nanoseconds of the server's processor time and of the wall, and by how
// many bytes N idle connections have made the server grow.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using Count = std::int64_t;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "client: %s\n", what.c_str());
  std::exit(1);
}

[[noreturn]] void fail(const char* call) {
  die(std::string(call) + ": " + std::strerror(errno));
}

// The stream that each connection sends: from any place in it, kChunk bytes
// are at hand. Its period is a prime, so no message repeats the one before.
constexpr std::size_t kPeriod = 65521, kChunk = 256 * 1024;
const char* stream_at(Count position) {
  static const std::string bytes = [] {
    std::string all(kPeriod + kChunk, '\0');
    std::uint32_t x = 1;
    for (std::size_t i = 0; i < all.size(); ++i) {
      x = x * 1664525 + 1013904223;
      all[i] = i < kPeriod ? static_cast<char>(x >> 24) : all[i - kPeriod];
    }
    return all;
  }();
  return bytes.data() + static_cast<std::size_t>(position) % kPeriod;
}

struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;  // by TLS
  Count sent = 0, received = 0;
  Count wanted = 0;        // so much is to be sent and received
  bool waits_out = false;  // poll is asked for room to send
};

// --- The server: where it is, what it costs ---

std::map<std::string, Count> numbers = {{"--port", 0},        {"--pid", 0},
                                        {"--connections", 1}, {"--bytes", 64},
                                        {"--messages", 1},    {"--idle", 0}};

Count clock_now(clockid_t clock) {
  timespec now;
  if (::clock_gettime(clock, &now) != 0) fail("clock_gettime");
  return Count{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Count server_time() {
  clockid_t clock;
  pid_t pid = static_cast<pid_t>(numbers["--pid"]);
  if (::clock_getcpuclockid(pid, &clock) != 0) die("no such server");
  return clock_now(clock);
}

// Of its own memory, in bytes: not of the program's file.
Count server_memory() {
  std::string word;
  std::ifstream status("/proc/" + std::to_string(numbers["--pid"]) + "/status");
  while (status >> word)
    if (word == "RssAnon:") {
      Count kilobytes;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  die("cannot read the server's /proc/PID/status");
}

int connect_to_server() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(numbers["--port"]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  // Blocking: on the loopback it is done when it returns.
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    fail("connect");
  // A message goes out at once, also behind the last flight of a handshake that
  // a server has nothing to answer to.
  int on = 1;
  if (::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
    fail("setsockopt");
  return fd;
}

// --- TLS ---

SSL_CTX* context = nullptr;      // without it, plain TCP
SSL_SESSION* session = nullptr;  // the last one that came, to be resumed

void speak_tls(bool resume) {
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (!resume) return;
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL*, SSL_SESSION* fresh) {
    SSL_SESSION_free(session);
    session = fresh;
    return 1;
  });
}

SSL* handshake(int fd) {
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  // A copy: OpenSSL uses one of TLS 1.3 only once, and not each server has a
  // new one for a connection that was resumed.
  if (session) {
    SSL_SESSION* copy = SSL_SESSION_dup(session);
    SSL_set_session(ssl, copy);
    SSL_SESSION_free(copy);
  }
  if (SSL_connect(ssl) != 1) die("the TLS handshake failed");
  if (session && !SSL_session_reused(ssl)) die("the session was not resumed");
  return ssl;
}

// As recv(2) and send(2) do.
ssize_t as_of_the_system(SSL* ssl, int result, std::size_t n) {
  if (result == 1) return static_cast<ssize_t>(n);
  int why = SSL_get_error(ssl, result);
  if (why == SSL_ERROR_ZERO_RETURN) return 0;
  errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN
                                                                    : EPROTO;
  return -1;
}

ssize_t receive_from(Connection& it, char* into, std::size_t size) {
  if (!it.ssl) return ::recv(it.fd, into, size, MSG_DONTWAIT);
  std::size_t n = 0;
  int result = SSL_read_ex(it.ssl, into, size, &n);
  return as_of_the_system(it.ssl, result, n);
}

ssize_t send_to(Connection& it, const char* bytes, std::size_t size) {
  if (!it.ssl) return ::send(it.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  std::size_t n = 0;
  int result = SSL_write_ex(it.ssl, bytes, size, &n);
  return as_of_the_system(it.ssl, result, n);
}

void end(Connection& it) {
  if (it.ssl) SSL_shutdown(it.ssl);
  ::shutdown(it.fd, SHUT_WR);
}

void close_now(Connection& it) {
  SSL_free(std::exchange(it.ssl, nullptr));
  ::close(std::exchange(it.fd, -1));
}

// --- The work ---

class Work {
 public:
  Work(bool short_lived, Count bytes)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        short_lived_(short_lived),
        bytes_(bytes) {}

  void open(std::vector<Connection>& connections) {
    for (Connection& it : connections) open(it);
  }

  // So many messages, over as many of the connections as there are messages.
  void run(std::vector<Connection>& connections, Count messages) {
    waiting_ = 0;
    to_begin_ = messages;
    for (Connection& it : connections)
      if (to_begin_ > 0) begin(it);
    while (waiting_ > 0) turn();
  }

  // Ends them, and waits for the server to end them, too.
  void close(std::vector<Connection>& connections) {
    for (Connection& it : connections) end(it);
    for (Connection& it : connections) {
      // What still came would be more than was sent.
      while (receive_from(it, buffer_.data(), buffer_.size()) < 0)
        if (errno != EAGAIN)
          fail("recv at the end");
        else
          wait_for(it.fd);
      close_now(it);
    }
  }

 private:
  void open(Connection& it) {
    it = {.fd = connect_to_server()};
    if (context) {
      it.ssl = handshake(it.fd);
      ::fcntl(it.fd, F_SETFL, O_NONBLOCK);
    }
    control(EPOLL_CTL_ADD, it, EPOLLIN);
  }

  void control(int operation, Connection& it, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &it;
    if (::epoll_ctl(epoll_, operation, it.fd, &event) < 0) fail("epoll_ctl");
  }

  void wait_for(int) {
    epoll_event event;
    ::epoll_wait(epoll_, &event, 1, -1);
  }

  void begin(Connection& it) {
    if (short_lived_) open(it);
    --to_begin_;
    ++waiting_;
    it.wanted += bytes_;
    send_some(it);
  }

  void turn() {
    std::array<epoll_event, 1024> events;
    int n = ::epoll_wait(epoll_, events.data(), events.size(), 10'000);
    if (n == 0) die("nothing came for ten seconds");
    for (int i = 0; i < n; ++i) {
      Connection& it = *static_cast<Connection*>(events[i].data.ptr);
      if (events[i].events & EPOLLOUT) send_some(it);
      if (events[i].events & ~EPOLLOUT) receive(it);
    }
  }

  void send_some(Connection& it) {
    while (it.sent < it.wanted) {
      std::size_t most = std::min<std::size_t>(it.wanted - it.sent, kChunk);
      ssize_t n = send_to(it, stream_at(it.sent), most);
      if (n < 0 && errno != EAGAIN) fail("send");
      if (n < 0) break;
      it.sent += n;
    }
    bool waits_out = it.sent < it.wanted;
    if (waits_out == it.waits_out) return;
    it.waits_out = waits_out;
    control(EPOLL_CTL_MOD, it, waits_out ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void receive(Connection& it) {
    ssize_t n = receive_from(it, buffer_.data(), buffer_.size());
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) fail("recv");
    if (n == 0) return ended(it);
    if (it.received + n > it.sent ||
        std::memcmp(buffer_.data(), stream_at(it.received),
                    static_cast<std::size_t>(n)) != 0)
      die("what came back is not what was sent");
    it.received += n;
    if (it.received < it.wanted) return;
    if (short_lived_)
      end(it);  // the message is over when the server ends
    else
      next(it);
  }

  void ended(Connection& it) {
    if (!short_lived_ || it.received < it.wanted)
      die("the server ended a connection");
    close_now(it);
    next(it);
  }

  void next(Connection& it) {
    --waiting_;
    if (to_begin_ > 0) begin(it);
  }

  int epoll_;
  bool short_lived_;
  Count bytes_;
  Count to_begin_ = 0, waiting_ = 0;
  std::vector<char> buffer_ = std::vector<char>(kChunk);
};

}  // namespace

int main(int argc, char** argv) {
  bool short_lived = false, tls = false, resume = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--short-lived") {
      short_lived = true;
    } else if (std::string(argv[i]) == "--tls") {
      tls = true;
    } else if (std::string(argv[i]) == "--resume") {
      resume = true;
    } else if (numbers.count(argv[i]) != 0 && i + 1 < argc) {
      numbers[argv[i]] = std::atoll(argv[i + 1]);
      ++i;
    } else {
      std::fprintf(stderr, "usage: see the head of client.cc\n");
      return 2;
    }
  }
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (tls) speak_tls(resume);
  Count bytes = numbers["--bytes"], messages = numbers["--messages"];
  std::vector<Connection> active(numbers["--connections"]),
      idle(numbers["--idle"]);
  Work work(short_lived, bytes), once(false, bytes);
  if (!short_lived) work.open(active);
  work.run(active, std::max<Count>(messages / 10, 1));

  Count memory = server_memory();
  once.open(idle);
  once.run(idle, numbers["--idle"]);
  memory = server_memory() - memory;

  Count cost = server_time(), time = clock_now(CLOCK_MONOTONIC);
  work.run(active, messages);
  cost = server_time() - cost;
  time = clock_now(CLOCK_MONOTONIC) - time;
  if (!short_lived) work.close(active);
  once.close(idle);
  std::printf("{\"cpu\": %lld, \"wall\": %lld, \"memory\": %lld}\n",
              static_cast<long long>(cost), static_cast<long long>(time),
              static_cast<long long>(memory));
}
