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

#include "common/todo.h"

namespace net {

struct PollServer::State {
  // What the server remembers about a client. Add what you need.
  struct Client {
    Fd fd;
  };

  Fd listener;
  std::size_t max_output;
  std::vector<Client> clients = {};

  void accept_all();
  std::vector<pollfd> poll_set(int stop_fd) const;
  short wanted(const Client& client) const;
  void serve(Client& client, short revents);
  void receive(Client& client);
  void send_waiting(Client& client);
};

PollServer::PollServer(Fd listener, std::size_t max_output)
    : state_(new State{std::move(listener), max_output}) {
  TODO("06.1", "make the listener non-blocking");
}

PollServer::~PollServer() = default;

void PollServer::State::accept_all() {
  // 06.8 adds what to do when no descriptor is left.
  TODO("06.2", "accept until nobody is left in the queue");
}

std::vector<pollfd> PollServer::State::poll_set(int) const {
  TODO("06.3", "stop_fd, the listener, and what each client waits for");
}

short PollServer::State::wanted(const Client&) const {
  // POLLIN, for now. 06.5 adds when there is room to wait for, 06.6 when
  // nothing is to be read.
  TODO("06.3", "the events to ask poll() for");
}

void PollServer::run(int) {
  TODO("06.3", "poll, look at stop_fd, serve who is ready, accept, and again");
}

void PollServer::State::serve(Client&, short) {
  // 06.5 sends what waits, 06.6 and 06.7 add the ends of a client.
  TODO("06.4", "one turn of a client, whatever poll() has reported");
}

void PollServer::State::receive(Client&) {
  TODO("06.4", "receive one piece, if there is one, and send it back");
}

void PollServer::State::send_waiting(Client&) {
  TODO("06.5", "send what waits, as far as the kernel takes it");
}

}  // namespace net
