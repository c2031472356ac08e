// Another right answer: clients by descriptor, a poll set that is kept from
// round to round, output in pieces, accepting first, closing last, and a spare
// descriptor for the clients that there is no room for.
#include "chapters/06_poll_server/poll_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <deque>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace net {
namespace {

constexpr std::size_t kBuffer = 16 * 1024;

enum class Verdict { kStays, kGoes };

struct Peer {
  Fd fd;
  std::size_t place;  // in the poll set
  std::deque<std::string> pieces = {};
  std::size_t offset = 0;  // of the first piece: sent already
  std::size_t bytes = 0;   // that wait
  bool ended = false;

  bool flush() {
    while (!pieces.empty()) {
      const std::string& piece = pieces.front();
      ssize_t n = ::send(fd.get(), piece.data() + offset, piece.size() - offset,
                         MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      offset += static_cast<std::size_t>(n);
      bytes -= static_cast<std::size_t>(n);
      if (offset < piece.size()) continue;
      pieces.pop_front();
      offset = 0;
    }
    return true;
  }

  Verdict turn(std::size_t limit) {
    if (!flush()) return Verdict::kGoes;
    char buffer[kBuffer];
    for (int i = 0; i < 4 && !ended && bytes < limit; ++i) {
      ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return Verdict::kGoes;
      if (n < 0) break;
      ended = n == 0;
      if (ended) break;
      pieces.emplace_back(buffer, static_cast<std::size_t>(n));
      bytes += static_cast<std::size_t>(n);
      if (!flush()) return Verdict::kGoes;
    }
    return ended && pieces.empty() ? Verdict::kGoes : Verdict::kStays;
  }
};

Fd spare_descriptor() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

struct PollServer::State {
  Fd listener;
  std::size_t max_output;
  std::map<int, Peer> peers = {};
  std::vector<pollfd> set = {};
  Fd spare = {};
  bool pause = false;

  short events_for(const Peer& peer) const {
    int events = peer.pieces.empty() ? 0 : POLLOUT;
    if (!peer.ended && peer.bytes < max_output) events |= POLLIN;
    return static_cast<short>(events);
  }

  void remove(int fd) {
    std::size_t hole = peers.at(fd).place;
    set[hole] = set.back();
    auto moved = peers.find(set[hole].fd);
    if (moved != peers.end()) moved->second.place = hole;
    set.pop_back();
    peers.erase(fd);
  }

  // Whether the one who is next in the queue could be turned away.
  bool turn_one_away() {
    if (!spare) return false;
    spare.reset();
    Fd away(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    bool done = static_cast<bool>(away) || errno == EAGAIN;
    away.reset();
    spare = spare_descriptor();
    return done;
  }

  void take_newcomers() {
    while (true) {
      int fd = ::accept4(listener.get(), nullptr, nullptr,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        peers.emplace(fd, Peer{Fd(fd), set.size()});
        set.push_back({fd, POLLIN, 0});
        continue;
      }
      switch (errno) {
        case EAGAIN:
          return;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          if (turn_one_away()) continue;
          pause = true;
          return;
        case EBADF:
        case EINVAL:
        case ENOTSOCK:
        case EFAULT:
          throw std::system_error(errno, std::generic_category(), "accept4");
        default:
          continue;
      }
    }
  }
};

PollServer::PollServer(Fd listener, std::size_t max_output)
    : state_(new State{std::move(listener), max_output}) {
  int flags = ::fcntl(state_->listener.get(), F_GETFL);
  ::fcntl(state_->listener.get(), F_SETFL, flags | O_NONBLOCK);
  state_->set = {{-1, POLLIN, 0}, {state_->listener.get(), POLLIN, 0}};
  state_->spare = spare_descriptor();
}

PollServer::~PollServer() = default;

void PollServer::run(int stop_fd) {
  State& s = *state_;
  s.set[0].fd = stop_fd;
  while (true) {
    s.set[1].events = s.pause ? 0 : POLLIN;
    s.set[1].fd = s.pause ? -1 : s.listener.get();
    timespec tenth{0, 100 * 1000 * 1000};
    int n = ::ppoll(s.set.data(), s.set.size(), s.pause ? &tenth : nullptr,
                    nullptr);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "ppoll");
    if (s.set[0].revents) return;
    s.pause = false;
    std::vector<pollfd> reported = s.set;
    // Nobody is closed before the newcomers have their numbers.
    if (reported[1].revents) s.take_newcomers();
    for (std::size_t i = 2; i < reported.size(); ++i) {
      if (!reported[i].revents) continue;
      int fd = reported[i].fd;
      Peer& peer = s.peers.at(fd);
      bool open = !(reported[i].revents & POLLNVAL);
      if (!open) (void)peer.fd.release();
      if (!open || peer.turn(s.max_output) == Verdict::kGoes)
        s.remove(fd);
      else
        s.set[peer.place].events = s.events_for(peer);
    }
  }
}

}  // namespace net
