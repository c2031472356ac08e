// One client, from its first byte until it is secure. If you would rather cut
// the server in another way, do not include this file: what is tested is
// tls_server.h.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chapters/15_tls_server/hello.h"
#include "chapters/15_tls_server/sessions.h"
#include "chapters/15_tls_server/tls_server.h"

namespace tls {

// A context, and its context_scope().
struct Identity {
  std::shared_ptr<const Context> context;
  std::string scope;
};

struct Server::State {
  Server& self;
  net::EventLoop& loop;
  ServerOptions options;
  TicketKeys ticket_keys = {};
  Identity own = {};
  struct Named {
    std::string pattern;
    Identity identity;
  };
  std::vector<Named> named = {};
  std::list<Client*> unfinished = {};  // the oldest first

  // server.cc
  Identity identify(std::shared_ptr<const Context> context) const;
  // Null: there is none for this name.
  const Identity* identity_for(const std::string& servername) const;
  static void prepare(SSL_CTX* context, std::chrono::seconds session_timeout);
  void begin(std::shared_ptr<net::Socket> raw);
};

// Inside it, `State` is TlsSocket's: write Server::State.
class Server::Client : public TlsSocket {
 public:
  Client(std::shared_ptr<Server> server, net::ConnectOptions options,
         EngineOptions engine);
  ~Client() override;
  void start(std::shared_ptr<net::Socket> raw);
  void give_way();  // too many handshakes at once

  // Asked by OpenSSL.
  static Client* of(const SSL* ssl);
  int hello(int* alert);           // for SSL_CTX_set_client_hello_cb(3)
  SSL_SESSION* resumed_session();  // for SSL_CTX_sess_set_get_cb(3)
  const TicketKeys& ticket_keys() const;

 private:
  void secured() override;
  void failed(const net::Error& error) override;
  void session_made(SSL_SESSION* session) override;
  void closed();
  void too_late();
  void leave();
  bool tell(const net::Error& error);  // whether anybody has heard of it

  bool asks_for_session() const;
  bool asks_for_context() const;
  void ask_for_session();
  void ask_for_context();
  void answered(Identity identity);
  void use(const Identity& identity);

  std::shared_ptr<Server> server_;
  std::optional<std::list<Client*>::iterator> place_ = {};
  net::TimerId timer_ = net::TimerId::kNone;
  bool told_ = false;  // on_tls_client_error

  // Whose answer it waits for.
  enum class Stage { kNew, kSession, kContext, kAnswered };
  Stage stage_ = Stage::kNew;
  Hello hello_ = {};
  Identity identity_ = {};
  std::string resumed_ = {};  // what on_resume_session has answered
  int unanswered_ = 0;        // of on_new_session
};

}  // namespace tls
