// Copies stdin to a peer, no faster than the peer reads.
//
//   pump [--greedy] ADDRESS   127.0.0.1:8080, [::1]:8080, unix:/run/x
//
// It says when it stops reading stdin and when it goes on. With --greedy it
// does not care what write() answers.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/05_unix_sockets/fd.h"
#include "chapters/09_streams/transport.h"
#include "chapters/09_streams/write_queue.h"
#include "common/error.h"

namespace {

int checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

net::Fd connect_to(const std::string& address) {
  net::Endpoint peer = net::Endpoint::parse(address);
  net::Fd fd(checked(::socket(peer.family(), SOCK_STREAM | SOCK_CLOEXEC, 0),
                     "socket"));
  checked(::connect(fd.get(), peer.address(), peer.size()), "connect");
  checked(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), "fcntl");
  return fd;
}

class Pump {
 public:
  Pump(net::Fd peer, bool greedy) : wire_(std::move(peer)), greedy_(greedy) {}

  void run() {
    while (!input_ended_ || !queue_.empty()) wait_and_work();
    net::IoResult result = wire_.shutdown_write();
    if (result.kind == net::IoResult::kFailed) throw *result.error;
    std::cerr << total_ << " bytes sent; at most " << most_ << " waited\n";
  }

 private:
  void wait_and_work() {
    bool reads = !input_ended_ && (greedy_ || !queue_.needs_drain());
    short room = queue_.empty() ? 0 : POLLOUT;
    // poll() passes over a descriptor of -1.
    std::array<pollfd, 2> set{
        {{reads ? STDIN_FILENO : -1, POLLIN, 0}, {wire_.fd(), room, 0}}};
    if (::poll(set.data(), set.size(), -1) < 0 && errno != EINTR)
      checked(-1, "poll");
    if (set[1].revents & (POLLERR | POLLHUP)) throw why_it_is_gone();
    if (set[1].revents) write_more();
    if (set[0].revents) read_some();
  }

  void read_some() {
    ssize_t n = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    input_ended_ = checked(static_cast<int>(n), "read") == 0;
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(n));
    total_ += bytes.size();
    bool waited = queue_.needs_drain();
    if (!queue_.write(wire_, bytes) && !waited)
      std::cerr << total_ << " bytes written, " << queue_.size()
                << " wait: false\n";
    most_ = std::max(most_, queue_.size());
  }

  void write_more() {
    net::IoResult result = queue_.flush(wire_);
    if (result.kind == net::IoResult::kFailed) throw *result.error;
    if (queue_.take_drain()) std::cerr << "drain\n";
  }

  net::Error why_it_is_gone() {
    net::IoResult result = wire_.read(buffer_);
    if (result.kind == net::IoResult::kFailed) return *result.error;
    return net::Error("EPIPE", "the peer has closed the connection");
  }

  net::FdTransport wire_;
  net::WriteQueue queue_;
  bool greedy_;
  bool input_ended_ = false;
  std::size_t total_ = 0, most_ = 0;
  std::array<char, 65536> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  bool greedy = argc == 3 && std::string_view(argv[1]) == "--greedy";
  if (argc != 2 && !greedy) {
    std::cerr << "usage: pump [--greedy] ADDRESS\n";
    return 2;
  }
  try {
    Pump(connect_to(argv[argc - 1]), greedy).run();
  } catch (const std::exception& error) {
    std::cerr << "pump: " << error.what() << "\n";
    return 1;
  }
}
