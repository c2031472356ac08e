#include "chapters/05_unix_sockets/unix_sockets.h"

#include <poll.h>
#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "chapters/05_unix_sockets/fd.h"
#include "tests/05_unix_sockets/places.h"

using namespace graded;

namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

// What is there to read now.
std::string take(int fd) {
  Unwatched ours;
  char buffer[256];
  ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  return std::string(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
}

// "hello, end", or "hello, no end" when none comes within 2 seconds.
std::string hear(int fd) {
  Unwatched ours;
  std::string heard;
  pollfd waited{fd, POLLIN, 0};
  while (::poll(&waited, 1, 2000) > 0) {
    char buffer[256];
    ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return heard + ", end";
    heard.append(buffer, static_cast<std::size_t>(n));
  }
  return heard + ", no end";
}

// Moves it to the number 0, as in a program that was started without stdin.
void make_descriptor_zero(int fd) {
  Unwatched ours;
  ::dup2(fd, 0);
  ::close(fd);
}

// What the error says before the reason: "bind unix:/run/x".
std::string before_reason(const std::string& what) {
  return what.substr(0, what.rfind(": "));
}

// Leaves bytes on the stack where the next function puts its variables.
[[gnu::noinline]] void dirty_the_stack() {
  volatile char rubbish[4096];
  for (volatile char& c : rubbish) c = 'x';
}

// The one before, as in C: "077", "0".
std::string set_umask(mode_t mask) {
  Unwatched ours;
  char before[16];
  std::snprintf(before, sizeof before, "%#o", ::umask(mask));
  return before;
}

// The descriptor of the call that is running.
int descriptor_of_this(Call family) {
  return calls(family).back().fd;
}

constexpr int kCameBack = 99;

// start_child(), and an end to children that come out of it.
net::Child start(const std::function<int(net::Fd)>& body) {
  pid_t test = ::getpid();
  try {
    net::Child child = net::start_child(body);
    if (::getpid() == test) return child;
  } catch (...) {
    if (::getpid() == test) throw;
  }
  ::_exit(kCameBack);
}

int status_of(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What the test does with descriptors that it lent out. False: somebody else
// has closed one already.
bool close_both(int one, int two) {
  Unwatched ours;
  step("test", "closes its own two descriptors");
  return ::close(one) == 0 && ::close(two) == 0;
}

int handler_output = -1;
pid_t handler_owner = -1;
void exit_handler() {
  if (::getpid() != handler_owner) (void)!::write(handler_output, "x", 1);
}

// While one lives, this process can get one more descriptor, and no second.
class RoomForOne {
 public:
  RoomForOne() {
    Unwatched ours;
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int next = checked(::dup(0), "dup()");
    ::close(next);
    rlimit tight{static_cast<rlim_t>(next) + 1, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
    step("test", "leaves this process one free descriptor (RLIMIT_NOFILE)");
  }
  ~RoomForOne() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

}  // namespace

TEST(Fd, ClosesItsDescriptorOnce) {
  RULE("FD-1");
  UnixPair first, second, stranger;
  // Linux frees the number and then says EINTR. Another thread gets the number
  // at once, for a socket of its own.
  Action interrupted = fails(EINTR);
  interrupted.before = [&] {
    Unwatched ours;
    ::dup2(stranger.theirs, first.theirs);
    step("kernel", "frees the number; another thread gets it, for its socket");
  };
  Fault signal_comes(Call::kClose, {interrupted});
  std::string reason;

  {
    net::Fd owner(first.theirs);
    errno = ECONNREFUSED;
    owner.reset();
    reason = errno_name(errno);
  }
  make_descriptor_zero(second.theirs);
  {
    net::Fd owner(0);
    net::Fd next(std::move(owner));
  }

  EXPECT_IS(first.at_end(), true)
      << "After reset() the other end of that socket reads the end.";
  EXPECT_IS(is_open(first.theirs), true)
      << "That number belongs to somebody else since close() said EINTR: it "
         "must not be closed a second time, neither at once nor by ~Fd().";
  EXPECT_IS(reason, "ECONNREFUSED")
      << "errno was ECONNREFUSED before reset(): whoever cleans up after a "
         "failed call still wants to report that call.";
  EXPECT_IS(second.at_end(), true)
      << "This one was descriptor 0, a number like any other. Its last owner "
         "went away, and it must be closed.";
}

TEST(Fd, ClosesWhatItHeldWhenItIsAssigned) {
  RULE("FD-2");
  UnixPair held, taken;
  net::Fd owner(held.theirs), other(taken.theirs);

  owner = std::move(other);
  bool closed_held = held.at_end();
  net::Fd& itself = owner;
  owner = std::move(itself);

  EXPECT_IS(closed_held, true)
      << "The owner was given another descriptor: nobody can close the one "
         "it held any more.";
  EXPECT_IS(other.get(), -1) << "A descriptor has one owner: `other` gave it.";
  EXPECT_IS(owner.get(), taken.theirs)
      << "It holds what it took over, also after it was assigned to itself.";
  EXPECT_IS(taken.at_end(), false) << "An owner still holds this one.";
}

TEST(PathServer, ServesItsClientsInOrder) {
  RULE("PATH-1");
  Folder folder;
  std::string path = folder.path("server");
  std::vector<std::string> heard;

  dirty_the_stack();
  net::PathServer server(path);
  auto files = folder.files();
  std::vector<OwnFd> clients;
  for (std::string name : {"first", "second", "third"}) {
    clients.push_back(try_connect(path));
    std::string answer =
        clients.back().get() >= 0 ? "connected" : errno_name(errno);
    step(name, "connect() to the server: " + answer);
    ASSERT_IS(answer, "connected")
        << "This is the " << name
        << " client. Several can connect before accept() is called. EAGAIN: "
           "the queue is full; how long it is you told listen().";
    send_raw(clients.back().get(), name, {});
  }
  for (int i = 0; i < 3; ++i) {
    net::Fd client = server.accept();
    heard.push_back(take(client.get()));
    send_raw(client.get(), "hello " + heard.back(), {});
  }
  std::string heard_by_third = take(clients[2].get());

  EXPECT_IS(files, std::vector<std::string>{"server"})
      << "bind() makes one file, with this name and not a byte more.";
  EXPECT_IS(heard, (std::vector<std::string>{"first", "second", "third"}))
      << "This is what the clients sent, in the order they connected.";
  EXPECT_IS(heard_by_third, "hello third")
      << "The way back leads to the same client.";
}

TEST(PathServer, TakesPathsUpTo107Bytes) {
  RULE("PATH-2");
  Folder folder;
  std::string longest = folder.path_of_length(107);
  std::string too_long = folder.path_of_length(108);
  std::string what;

  std::string refused = outcome([&] { net::PathServer s(too_long); }, &what);
  auto files_after = folder.files();
  net::PathServer server(longest);

  EXPECT_IS(refused, "ENAMETOOLONG")
      << "With the zero byte at its end, a path of 108 bytes does not fit into "
         "sun_path.";
  EXPECT_IS(files_after, std::vector<std::string>{})
      << "A path that is cut off is another path: somebody else's.";
  EXPECT_IS(before_reason(what), "bind unix:" + too_long)
      << "The error names the call and the path.";
  EXPECT_IS(connect_outcome(longest), "connected")
      << "A path of 107 bytes fits.";
}

TEST(PathServer, LeavesALiveServerInPlace) {
  RULE("PATH-3");
  Folder folder;
  std::string path = folder.path("live"), busy_path = folder.path("busy");
  OwnFd live = listen_at(path, 16), busy = listen_at(busy_path, 0);
  auto clients = fill_queue(busy_path);

  std::string second = outcome([&] { net::PathServer server(path); });
  std::string third = outcome([&] { net::PathServer server(busy_path); });

  EXPECT_IS(second, "EADDRINUSE") << "A server listens at that path already.";
  EXPECT_IS(connect_outcome(path), "connected")
      << "The first server is alive, and clients must still find it.";
  EXPECT_IS(third, "EADDRINUSE")
      << "The server at this path is alive, too. It is busy: its queue is "
         "full, so a connect() that does not wait says EAGAIN.";
  EXPECT_IS(connect_outcome(busy_path), "EAGAIN")
      << "The busy server must still be the one at its path.";
}

TEST(PathServer, LeavesAFileThatIsNoSocket) {
  RULE("PATH-4");
  Folder folder;
  std::string text = folder.path("text"), link = folder.path("link");
  write_file(text, "dear diary");
  leave_stale_file(folder.path("stale"));
  ASSERT_EQ(::symlink("stale", link.c_str()), 0);

  std::string at_text = outcome([&] { net::PathServer server(text); });
  std::string at_link = outcome([&] { net::PathServer server(link); });

  EXPECT_IS(at_text, "EADDRINUSE") << "There is a text file at that path.";
  EXPECT_IS(read_file(text), "dear diary")
      << "It is the user's file, and the only copy.";
  EXPECT_IS(at_link, "EADDRINUSE")
      << "There is a symbolic link at that path. Where it leads does not "
         "matter: it is no socket.";
  EXPECT_IS(what_is_at(link), "link") << "Somebody made it on purpose.";
}

TEST(PathServer, ReplacesTheSocketFileOfADeadServer) {
  RULE("PATH-5");
  Folder folder;
  std::string path = folder.path("server");
  leave_stale_file(path);
  std::unique_ptr<net::PathServer> server;

  std::string second =
      outcome([&] { server = std::make_unique<net::PathServer>(path); });

  EXPECT_IS(second, "done")
      << "Nobody listens at the file that is there: the server that made it "
         "has died, and cannot remove it any more.";
  EXPECT_IS(connect_outcome(path), "connected")
      << "The new server is the one at the path.";
}

TEST(PathServer, HasItsModeBeforeAClientCanConnect) {
  RULE("PATH-6");
  Folder folder;
  std::string path = folder.path("server");
  std::string nowhere = folder.path("missing/server");
  std::vector<std::string> at_listen;
  auto look = [&] { at_listen.push_back(what_is_at(path)); };
  Fault listening(Call::kListen, {first(look), first(look)});

  set_umask(0);
  std::vector<std::string> outcomes = {
      outcome([&] { net::PathServer server(path, 0600); }),
      outcome([&] { net::PathServer server(nowhere, 0600); })};
  std::string first_umask = set_umask(077);
  outcomes.push_back(outcome([&] { net::PathServer server(path, 0666); }));
  std::string second_umask = set_umask(022);

  EXPECT_IS(outcomes, (std::vector<std::string>{"done", "ENOENT", "done"}))
      << "The second of the three paths is in a folder that does not exist.";
  EXPECT_IS(at_listen,
            (std::vector<std::string>{"socket, mode 600", "socket, mode 666"}))
      << "This is the file when listen() was called: from then on clients can "
         "connect. The mode is what was asked for, though bind() takes bits "
         "away from 777 by the umask: 000 here at first, then 077.";
  EXPECT_IS(first_umask, "0")
      << "It was 0 before the first two servers. The umask is the whole "
         "program's: the next file it makes would have an odd mode.";
  EXPECT_IS(second_umask, "077") << "It was 077 before the third server.";
}

TEST(PathServer, RemovesItsOwnFileOnly) {
  RULE("PATH-7");
  Folder folder;
  std::string path = folder.path("server"), other = folder.path("other");
  int listener = -1;
  std::vector<std::string> at_close;
  Fault closing(Call::kClose, {always(first([&] {
                  if (descriptor_of_this(Call::kClose) == listener)
                    at_close.push_back(what_is_at(path));
                }))});

  {
    net::PathServer server(path);
    listener = server.fd();
  }
  listener = -1;
  std::string after_first = what_is_at(path);
  {
    net::PathServer server(other);
    ::rename(other.c_str(), folder.path("elsewhere").c_str());
    step("test", "moves the server's file away");
    write_file(other, "another file");
  }

  EXPECT_IS(after_first, "nothing") << "The server is gone: so is its file.";
  EXPECT_IS(at_close, std::vector<std::string>{"nothing"})
      << "This was at the path at each close() of the listening descriptor. "
         "One close() is enough, and the file goes first: from that close() "
         "on, its inode number can be another file's.";
  EXPECT_IS(read_file(other), "another file")
      << "The file that is at the path now is not the one that the server "
         "made.";
}

TEST(ConnectPath, SaysThatTheQueueIsFull) {
  RULE("PATH-8");
  Folder folder;
  std::string path = folder.path("server"), what;
  OwnFd server = listen_at(path);

  net::Fd client = net::connect_path(path);
  bool blocks = !(::fcntl(client.get(), F_GETFL) & O_NONBLOCK);
  auto clients = fill_queue(path);
  std::string full = outcome([&] { net::connect_path(path); }, &what);
  std::string nobody = outcome([&] { net::connect_path(path + "2"); });
  std::string too_long =
      outcome([&] { net::connect_path(folder.path_of_length(108)); });

  OwnFd accepted = accept_from(server);
  send_raw(accepted.get(), "hello", {});
  std::string heard = take(client.get());

  EXPECT_IS(heard, "hello") << "The first client is connected.";
  EXPECT_IS(blocks, true) << "The caller is promised a blocking descriptor.";
  EXPECT_IS(full, "EAGAIN")
      << "There is no room in the server's queue. Nothing has begun that "
         "could be waited for.";
  EXPECT_IS(before_reason(what), "connect unix:" + path)
      << "The error names the call and the path.";
  EXPECT_IS(nobody, "ENOENT") << "There is no file at that path.";
  EXPECT_IS(too_long, "ENAMETOOLONG")
      << "That path has 108 bytes, one more than fits: a std::system_error, as "
         "from a server's constructor.";
}

TEST(Credentials, NameTheProcessThatConnected) {
  RULE("CRED-1");
  Folder folder;
  OwnFd listener = listen_at(folder.path("server"));
  Process other([&] {
    OwnFd client = try_connect(folder.path("server"));
    return static_cast<int>(receive_raw(client.get()).bytes.size());
  });
  OwnFd accepted = accept_from(listener);

  ucred peer = net::peer_credentials(accepted.get());
  std::string no_socket = outcome([] { net::peer_credentials(0); });

  EXPECT_IS(peer.pid, other.pid())
      << "Process " << other.pid() << " connected; this one is " << ::getpid()
      << ".";
  EXPECT_IS(peer.uid, ::getuid()) << "Its user is this test's, too.";
  EXPECT_IS(peer.gid, ::getgid()) << "Its group is this test's, too.";
  EXPECT_IS(no_socket, "ENOTSOCK") << "Descriptor 0 is no socket here.";
}

TEST(Pair, LeadsFromParentToChildUntilEitherCloses) {
  RULE("PAIR-1");
  UnixPair handler_pair;
  handler_output = handler_pair.theirs;
  handler_owner = ::getpid();
  std::atexit(exit_handler);

  net::Child speaker = start([](net::Fd socket) {
    send_raw(socket.get(), "hello", {});
    step("child", "sends \"hello\", and returns 7");
    return 7;
  });
  std::string from_child = hear(speaker.socket.get());
  int speaker_status = status_of(speaker.pid);
  net::Child listener = start([](net::Fd socket) {
    std::string heard = hear(socket.get());
    step("child", "heard: " + heard);
    return heard == "hello, end" ? 8 : 9;
  });
  step("test", "sends \"hello\" to the next child, and closes");
  send_raw(listener.socket.get(), "hello", {});
  listener.socket.reset();
  int listener_status = status_of(listener.pid);
  net::Child thrower =
      start([](net::Fd) -> int { throw std::runtime_error("a failure"); });
  int thrower_status = status_of(thrower.pid);
  std::string from_exit_handlers = take(handler_pair.ours.get());

  EXPECT_IS(from_child, "hello, end")
      << "The child said hello and ended. The parent sees that end only if "
         "nobody else holds the child's socket, the parent included.";
  EXPECT_IS(speaker_status, 7)
      << "The child's body returned 7. (" << kCameBack
      << ": the child came out of start_child(), and would have run the rest "
         "of this test a second time.)";
  EXPECT_IS(listener_status, 8)
      << "The parent said hello and closed; the child returns 8 when it has "
         "read the end, 9 when it has not. It sees that end only if nobody "
         "else holds the parent's socket, the child included.";
  EXPECT_IS(thrower_status, 1)
      << "The child's body threw an exception. (" << kCameBack
      << ": it left start_child() in the child, and reached code that is the "
         "parent's.)";
  EXPECT_IS(from_exit_handlers, "")
      << "A child ran the exit handlers that this test had set for itself.";
}

TEST(Passing, HandsDescriptorsToAnotherProcess) {
  RULE("PASS-1");
  UnixPair channel;
  // Says its number through each descriptor it gets, and sends them back.
  Process other([&] {
    RawMessage got = receive_raw(channel.ours.get());
    for (std::size_t i = 0; i < got.fds.size(); ++i)
      send_raw(got.fds[i], "other " + std::to_string(i), {});
    send_raw(channel.ours.get(), got.bytes, got.fds);
    send_raw(channel.ours.get(), "bye", {});
    return static_cast<int>(got.fds.size());
  });
  UnixPair first, second;

  net::send_with_fds(channel.theirs, "x",
                     std::array{first.theirs, second.theirs});
  bool kept = close_both(first.theirs, second.theirs);
  net::Message back = net::receive_with_fds(channel.theirs, 1, 2);
  net::Message none = net::receive_with_fds(channel.theirs, 100, 2);
  int got = other.wait();
  std::string through_first = take(first.ours.get());
  std::string through_second = take(second.ours.get());

  EXPECT_IS(kept, true)
      << "send_with_fds() sends copies: the caller's own stay open, and "
         "closing them is the caller's task.";
  EXPECT_IS(got, 2) << "The other process was sent two descriptors.";
  EXPECT_IS(through_first, "other 0")
      << "It wrote through the first one: the copy works, though the sender "
         "has closed its own.";
  EXPECT_IS(through_second, "other 1") << "And through the second one.";
  EXPECT_IS(back.bytes, "x") << "It sent the byte back as it was.";
  ASSERT_IS(back.fds.size(), 2u) << "It sent both descriptors back.";
  send_raw(back.fds[1].get(), "back", {});
  through_second = take(second.ours.get());
  EXPECT_IS(through_second, "back")
      << "Descriptors keep their order; this is the second one.";
  EXPECT_IS(none.bytes, "bye") << "These bytes were sent next.";
  EXPECT_IS(none.fds.size(), 0u) << "And no descriptor came with them.";
}

TEST(Passing, KeepsNothingOfAMessageThatIsTooLarge) {
  RULE("PASS-2");
  UnixPair channel, travels;
  DescriptorCheck descriptors;
  int fd = travels.theirs;

  send_raw(channel.ours.get(), "a", {fd, fd});
  step("peer", "sends 1 byte and 2 descriptors");
  std::string two =
      outcome([&] { net::receive_with_fds(channel.theirs, 9, 1); });
  send_raw(channel.ours.get(), "b", {fd, fd, fd});
  step("peer", "sends 1 byte and 3 descriptors");
  std::string three =
      outcome([&] { net::receive_with_fds(channel.theirs, 9, 1); });
  send_raw(channel.ours.get(), "c", {fd, fd, fd});
  step("peer", "sends 1 byte and 3 descriptors");
  std::string crowded = [&] {
    RoomForOne tight;
    return outcome([&] { net::receive_with_fds(channel.theirs, 9, 3); });
  }();

  EXPECT_IS(two, "EMSGSIZE") << "Two descriptors came, one was asked for.";
  EXPECT_IS(three, "EMSGSIZE") << "Three descriptors came, one was asked for.";
  EXPECT_IS(crowded, "EMSGSIZE")
      << "Three came and three were asked for, but this process could get "
         "only one more: the kernel dropped two, and said MSG_CTRUNC.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "Whatever the kernel had put into this process is closed again.";
}

TEST(Passing, SendsEachByteAndDescriptorOnce) {
  RULE("PASS-3");
  UnixPair channel, travels;
  Fault short_count(Call::kSend, {at_most(1)});
  std::string bytes;
  std::size_t count = 0;

  EXPECT_THROW(
      net::send_with_fds(channel.theirs, "", std::array{travels.theirs}),
      std::logic_error)
      << "Without a byte to ride on, the kernel would drop the descriptor and "
         "report a success.";
  net::send_with_fds(channel.theirs, "hello", std::array{travels.theirs});
  ::close(channel.theirs);
  while (true) {
    RawMessage part = receive_raw(channel.ours.get());
    if (part.bytes.empty()) break;
    bytes += part.bytes;
    count += part.fds.size();
  }

  EXPECT_IS(bytes, "hello") << "The first call takes 1 byte of 5, and says so.";
  EXPECT_IS(count, 1u)
      << "One descriptor goes with the first byte. If more came, either it "
         "was sent again with the rest, or cmsg_len counts the padding, too "
         "(CMSG_LEN, not CMSG_SPACE): your sendmsg() calls show which.";
}

TEST(Signals, EndNoCall) {
  RULE("SIG-1");
  Folder folder;
  std::string path = folder.path("server");
  UnixPair channel;
  net::PathServer server(path);
  OwnFd client = try_connect(path);
  step("test", "connects to the server");
  Fault accepting(Call::kAccept, {fails(EINTR)});
  Fault sending(Call::kSend, {fails(EINTR)});
  Fault receiving(Call::kReceive, {fails(EINTR)});

  std::string accepted = outcome([&] { server.accept(); });
  std::string sent =
      outcome([&] { net::send_with_fds(channel.theirs, "hello", {}); });
  send_raw(channel.ours.get(), "hello", {});
  std::string received =
      outcome([&] { net::receive_with_fds(channel.theirs, 5, 0); });
  std::string arrived = take(channel.ours.get());

  EXPECT_IS(accepted, "done") << "A signal came first, then a client.";
  EXPECT_IS(sent, "done") << "A signal came before anything was sent.";
  EXPECT_IS(arrived, "hello") << "These bytes were sent, and once.";
  EXPECT_IS(received, "done") << "A signal came first, then 5 bytes.";
}

TEST(Signals, APeerThatIsGoneRaisesNone) {
  RULE("SIG-1");
  int fd;
  {
    UnixPair channel;
    fd = channel.theirs;
  }
  step("peer", "closes its end");

  std::string sent = outcome([&] { net::send_with_fds(fd, "hello", {}); });

  EXPECT_IS(sent, "EPIPE")
      << "Nobody can read this any more, and the program goes on.";
}

TEST(Passing, MakesEveryDescriptorCloseOnExec) {
  RULE("FD-3");
  Folder folder;
  UnixPair channel;
  auto closes = [](int fd) { return bool(::fcntl(fd, F_GETFD) & FD_CLOEXEC); };
  bool all_until_now = true;
  Fault closing(Call::kClose, {always(first([&] {
                  all_until_now &= closes(descriptor_of_this(Call::kClose));
                }))});
  OwnFd live = listen_at(folder.path("live"));

  outcome([&] { net::PathServer second(folder.path("live")); });
  bool all_of_second = all_until_now;
  net::PathServer server(folder.path("server"));
  net::Fd client = net::connect_path(folder.path("server"));
  net::Fd accepted = server.accept();
  auto [one, two] = net::socketpair();
  send_raw(channel.ours.get(), "a", {channel.ours.get()});
  net::Message received = net::receive_with_fds(channel.theirs, 1, 1);

  EXPECT_IS(closes(server.fd()), true) << "The listening descriptor.";
  EXPECT_IS(all_of_second, true)
      << "The second server did not start, because the first one lives. Its "
         "sockets count, too, also the one that only asked: another thread "
         "can start a program meanwhile.";
  EXPECT_IS(closes(client.get()), true) << "What connect_path() returned.";
  EXPECT_IS(closes(accepted.get()), true) << "What accept() returned.";
  EXPECT_IS(closes(one.get()) && closes(two.get()), true)
      << "What socketpair() returned.";
  EXPECT_IS(closes(received.fds.at(0).get()), true)
      << "What came in a message: the flag does not travel with it. A program "
         "that is started with exec() would keep it open.";
}
