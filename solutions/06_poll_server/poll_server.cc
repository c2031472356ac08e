#include "chapters/06_poll_server/poll_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace net {
namespace {

// Short enough that nobody notices, long enough to cost nothing.
constexpr int kPauseMs = 50;

bool not_now(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

// These are about the connection that was next in the queue, as in chapter 03.
bool about_one_client(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

}  // namespace

struct PollServer::State {
  struct Client {
    Fd fd;
    std::string waiting = {};  // for room in the kernel
    bool ended = false;        // it has sent FIN
    bool gone = false;         // it is to be closed
  };

  Fd listener;
  std::size_t max_output;
  std::vector<Client> clients = {};
  bool full = false;  // no descriptor was left for the next client

  void accept_all();
  std::vector<pollfd> poll_set(int stop_fd) const;
  short wanted(const Client& client) const;
  void serve(Client& client, short revents);
  void receive(Client& client);
  void send_waiting(Client& client);
  bool may_read(const Client& client) const;
};

PollServer::PollServer(Fd listener, std::size_t max_output)
    : state_(new State{std::move(listener), max_output}) {
  int fd = state_->listener.get();
  int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) fail("fcntl");
}

PollServer::~PollServer() = default;

void PollServer::State::accept_all() {
  while (true) {
    // 06.2: the flags of the listener say nothing about its clients.
    Fd client(::accept4(listener.get(), nullptr, nullptr,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
      clients.push_back({std::move(client)});
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    full = out_of_descriptors(errno);
    if (full) return;
    if (!about_one_client(errno)) fail("accept");
  }
}

std::vector<pollfd> PollServer::State::poll_set(int stop_fd) const {
  std::vector<pollfd> set;
  set.push_back({stop_fd, POLLIN, 0});
  // 06.8: poll() skips a negative number.
  set.push_back({full ? -1 : listener.get(), POLLIN, 0});
  for (const Client& client : clients)
    set.push_back({client.fd.get(), wanted(client), 0});
  return set;
}

void PollServer::run(int stop_fd) {
  State& state = *state_;
  while (true) {
    std::vector<pollfd> set = state.poll_set(stop_fd);
    int ready = ::poll(set.data(), set.size(), state.full ? kPauseMs : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) fail("poll");
    if (set[0].revents != 0) return;
    state.full = false;

    // 06.3: nobody comes or goes in this loop, so set[i + 2] is clients[i].
    for (std::size_t i = 0; i < state.clients.size(); ++i)
      if (set[i + 2].revents != 0)
        state.serve(state.clients[i], set[i + 2].revents);
    std::erase_if(state.clients,
                  [](const State::Client& client) { return client.gone; });

    // Last: a number that was closed above may come back here, and nothing of
    // this round is applied to it.
    if (set[1].revents != 0) state.accept_all();
  }
}

void PollServer::State::receive(Client& client) {
  char piece[PollServer::kPiece];
  ssize_t n = ::recv(client.fd.get(), piece, sizeof piece, 0);
  if (n < 0) {
    client.gone = !not_now(errno);
  } else if (n == 0) {
    client.ended = true;
  } else {
    client.waiting.append(piece, static_cast<std::size_t>(n));
    // 06.4: at once. Most of the time the kernel has room, and to wait for
    // POLLOUT first would cost a round for nothing.
    send_waiting(client);
  }
}

void PollServer::State::send_waiting(Client& client) {
  while (!client.waiting.empty()) {
    ssize_t n = ::send(client.fd.get(), client.waiting.data(),
                       client.waiting.size(), MSG_NOSIGNAL);
    if (n < 0) {
      client.gone = !not_now(errno);
      return;
    }
    client.waiting.erase(0, static_cast<std::size_t>(n));
  }
}

short PollServer::State::wanted(const Client& client) const {
  short events = 0;
  if (may_read(client)) events |= POLLIN;
  // 06.5: a socket has room nearly always, so POLLOUT without need would end
  // each poll() at once.
  if (!client.waiting.empty()) events |= POLLOUT;
  return events;
}

bool PollServer::State::may_read(const Client& client) const {
  return !client.ended && client.waiting.size() < max_output;
}

void PollServer::State::serve(Client& client, short revents) {
  if (revents & POLLNVAL) {
    // 06.7: not open. Somebody else has closed it, and by now the number may
    // be anybody's: it is not ours to close.
    (void)client.fd.release();
    client.gone = true;
    return;
  }
  // Whatever the other bits are, they mean "try". What the calls answer is the
  // truth, and none of them waits.
  send_waiting(client);
  if (!client.gone && may_read(client)) receive(client);
  if (client.ended && client.waiting.empty()) client.gone = true;
}

// Also right: a map from descriptor to client, as long as a number that is
// taken again meets nothing of its predecessor's; a pollfd array that is kept
// from round to round, where only what has changed is written; a list of
// pieces in place of one string; a spare descriptor, with which a client is
// turned away when none is left (03), in place of the pause.

}  // namespace net
