// Another way to write a TlsSocket: OpenSSL looks at the name, too, while it
// verifies the chain; what was agreed on is written down once, as a value, and
// asked for there; the callbacks find their socket in a table.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <map>
#include <mutex>

#include "chapters/13_blocking_tls/identity.h"
#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/14_tls_socket/tls_socket.h"
#include "chapters/14_tls_socket/tls_transport.h"

namespace tls {

using net::Error;

namespace {

std::mutex table_lock;
std::map<const SSL*, TlsSocket*> table;

TlsSocket* find(const SSL* ssl) {
  std::lock_guard lock(table_lock);
  auto it = table.find(ssl);
  return it == table.end() ? nullptr : it->second;
}

// The name is OpenSSL's business, too.
void expect_name(SSL* ssl, const std::string& name) {
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(name))
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  else
    SSL_set1_host(ssl, name.c_str());
}

std::string verdict_on(SSL* ssl) {
  long result = SSL_get_verify_result(ssl);
  if (result == X509_V_ERR_HOSTNAME_MISMATCH ||
      result == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return "ERR_TLS_CERT_ALTNAME_INVALID";
  if (result != X509_V_OK) return certificate_error(result).code;
  auto error = authorization_error(ssl, "");
  if (error && error->code == "ERR_TLS_CERT_ALTNAME_INVALID") return "";
  return error ? error->code : "";
}

template <typename Print>
std::string as_text(Print print) {
  BIO* bio = BIO_new(BIO_s_mem());
  print(bio);
  char* bytes = nullptr;
  long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

Certificate::Name parts_of(const X509_NAME* name) {
  Certificate::Name parts;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    auto* entry = X509_NAME_get_entry(name, i);
    unsigned char* text = nullptr;
    int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    const char* key =
        OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
    if (size > 0)
      parts[key].assign(reinterpret_cast<char*>(text),
                        static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  return parts;
}

std::string names_of(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string list;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    if (i > 0) list += ", ";
    list += as_text([&](BIO* bio) {
      GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
    });
  }
  GENERAL_NAMES_free(names);
  return list;
}

}  // namespace

Certificate describe(X509* x) {
  Certificate it;
  it.subject = parts_of(X509_get_subject_name(x));
  it.issuer = parts_of(X509_get_issuer_name(x));
  it.subjectaltname = names_of(x);
  it.valid_from =
      as_text([&](BIO* b) { ASN1_TIME_print(b, X509_get0_notBefore(x)); });
  it.valid_to =
      as_text([&](BIO* b) { ASN1_TIME_print(b, X509_get0_notAfter(x)); });
  it.serial_number =
      as_text([&](BIO* b) { i2a_ASN1_INTEGER(b, X509_get_serialNumber(x)); });
  it.raw = as_text([&](BIO* b) { i2d_X509_bio(b, x); });
  unsigned char hash[32];
  X509_digest(x, EVP_sha256(), hash, nullptr);
  char* text = OPENSSL_buf2hexstr(hash, sizeof hash);
  it.fingerprint256 = text;
  OPENSSL_free(text);
  return it;
}

struct TlsSocket::State {
  net::EventLoop& loop;
  std::shared_ptr<const Context> context;
  EngineOptions options;
  Role role;
  std::string session = {};
  Engine engine = {};
  SSL* listed = nullptr;  // in the table
  TlsTransport* transport = nullptr;

  struct Agreement {
    bool done = false, authorized = false;
    std::string problem, protocol, servername;
  };
  Agreement agreed = {};

  void list(SSL* ssl, TlsSocket* self) {
    std::lock_guard lock(table_lock);
    table.erase(listed);
    listed = ssl;
    if (ssl) table[ssl] = self;
  }
};

TlsSocket::TlsSocket(net::EventLoop& loop, net::ConnectOptions options,
                     std::shared_ptr<const Context> context,
                     EngineOptions engine, Role role)
    : net::Socket(loop, std::move(options)),
      state_(new State{loop, std::move(context), std::move(engine), role}) {
  listen_to(state_->context->get(), role);
}

TlsSocket::~TlsSocket() {
  state_->list(nullptr, this);
}

net::Socket& TlsSocket::connect(net::ConnectOptions options,
                                std::function<void()> connected) {
  auto& self = net::Socket::connect(std::move(options), std::move(connected));
  state_->transport = nullptr;
  state_->agreed = {};
  return self;
}

void TlsSocket::listen_to(SSL_CTX* context, Role) {
  std::lock_guard lock(table_lock);
  SSL_CTX_set_keylog_callback(context, [](const SSL* ssl, const char* line) {
    if (TlsSocket* self = find(ssl))
      self->later([self, text = std::string(line) + '\n'] {
        self->on_keylog.emit(text);
      });
  });
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    if (TlsSocket* self = find(ssl)) self->session_made(session);
    return 0;
  });
}

Engine TlsSocket::new_engine() {
  State& s = *state_;
  bool client = s.role == Role::kClient;
  Engine it = client ? new_client(*s.context, s.options)
                     : new_server(*s.context, s.options);
  std::string name =
      s.options.servername.empty() ? s.options.host : s.options.servername;
  if (client) expect_name(it.get(), name);
  use_session(it.get(), s.session);
  s.list(it.get(), this);
  return it;
}

std::unique_ptr<net::Transport> TlsSocket::layer(
    std::unique_ptr<net::Transport> wire) {
  Connection plain;
  plain.transport = std::move(wire);
  return secure(std::move(plain));
}

std::unique_ptr<net::Transport> TlsSocket::secure(Connection wire) {
  if (!state_->engine) state_->engine = new_engine();
  auto it = std::make_unique<TlsTransport>(
      std::move(wire.transport), std::move(state_->engine),
      std::move(wire.unread), std::move(wire.unsent));
  state_->transport = it.get();
  return it;
}

void TlsSocket::take(std::shared_ptr<net::Socket> raw) {
  adopt(secure(raw->hand_over()));
  if (auto it = std::dynamic_pointer_cast<TlsSocket>(raw))
    it->state_->transport = nullptr;
  std::weak_ptr<net::Socket> self = weak_from_this();
  raw->on_close([self](bool) {
    if (auto it = self.lock()) it->destroy();
  });
  on_close([raw](bool) { raw->destroy(); });
}

void TlsSocket::agreed() {
  State::Agreement& it = state_->agreed;
  it.done = true;
  it.protocol = tls::alpn_protocol(engine());
  if (const char* name =
          SSL_get_servername(engine(), TLSEXT_NAMETYPE_host_name))
    it.servername = name;
  if (state_->role == Role::kClient || state_->options.request_cert) {
    it.problem = verdict_on(engine());
    it.authorized = it.problem.empty();
  }
  if (!it.problem.empty() && state_->options.reject_unauthorized)
    return failed(Error(it.problem, "the peer cannot be verified"));
  secured();
}

void TlsSocket::disagreed(const Error& error) {
  long result = SSL_get_verify_result(engine());
  if (result == X509_V_OK || certificate_error(result).code != error.code)
    return failed(error);
  state_->agreed.problem = verdict_on(engine());
  failed(Error(state_->agreed.problem, error.message));
}

void TlsSocket::secured() {
  on_secure_connect.emit();
}
void TlsSocket::failed(const Error& error) {
  destroy(error);
}

void TlsSocket::hold_handshake(bool on) {
  state_->transport->hold(on);
  if (!on) try_again();
}

void TlsSocket::forget_listeners() {
  on_keylog.clear(), on_session.clear(), on_secure_connect.clear();
  net::Socket::forget_listeners();
}

void TlsSocket::later(std::function<void()> step) {
  state_->loop.defer([self = weak_from_this(), step] {
    auto alive = self.lock();
    if (alive && !alive->destroyed()) step();
  });
}

std::string TlsSocket::as_bytes(SSL_SESSION* session) {
  unsigned char* bytes = nullptr;
  int size = i2d_SSL_SESSION(session, &bytes);
  std::string copy(reinterpret_cast<char*>(bytes),
                   static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return copy;
}

void TlsSocket::use_session(SSL* ssl, const std::string& bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  SSL_SESSION* it =
      d2i_SSL_SESSION(nullptr, &at, static_cast<long>(bytes.size()));
  if (it) SSL_set_session(ssl, it);
  SSL_SESSION_free(it);
  ERR_clear_error();
}

void TlsSocket::session_made(SSL_SESSION* session) {
  if (state_->role == Role::kServer) return;
  later([this, bytes = as_bytes(session)] { on_session.emit(bytes); });
}

net::EventLoop& TlsSocket::loop() const {
  return state_->loop;
}
SSL* TlsSocket::engine() const {
  bool there = state_->transport && !pending();
  return there ? state_->transport->engine() : nullptr;
}
SSL* TlsSocket::agreed_engine() const {
  return state_->agreed.done ? engine() : nullptr;
}
bool TlsSocket::authorized() const {
  return state_->agreed.authorized;
}
std::string TlsSocket::authorization_error() const {
  return state_->agreed.problem;
}
std::string TlsSocket::alpn_protocol() const {
  return state_->agreed.protocol;
}
std::string TlsSocket::servername() const {
  return state_->agreed.servername;
}
bool TlsSocket::truncated() const {
  return state_->transport && state_->transport->truncated();
}
bool TlsSocket::is_session_reused() const {
  return agreed_engine() && SSL_session_reused(agreed_engine()) == 1;
}

std::optional<Certificate> TlsSocket::peer_certificate() const {
  if (!agreed_engine()) return {};
  X509* it = SSL_get1_peer_certificate(agreed_engine());
  if (!it) return {};
  Certificate described = describe(it);
  X509_free(it);
  return described;
}

std::optional<std::string> TlsSocket::protocol() const {
  if (!agreed_engine()) return {};
  return SSL_get_version(agreed_engine());
}

std::optional<Cipher> TlsSocket::cipher() const {
  const SSL_CIPHER* it =
      agreed_engine() ? SSL_get_current_cipher(agreed_engine()) : nullptr;
  if (!it) return {};
  return Cipher{SSL_CIPHER_get_name(it), SSL_CIPHER_standard_name(it)};
}

std::optional<std::string> TlsSocket::session() const {
  SSL_SESSION* it =
      agreed_engine() ? SSL_get1_session(agreed_engine()) : nullptr;
  if (!it) return {};
  std::string bytes = as_bytes(it);
  SSL_SESSION_free(it);
  return bytes;
}

std::shared_ptr<TlsSocket> connect(net::EventLoop& loop, ConnectOptions options,
                                   std::function<void()> secure) {
  if (options.host.empty()) options.host = "localhost";
  EngineOptions wanted{.servername = options.servername,
                       .host = options.host,
                       .alpn_protocols = options.alpn_protocols,
                       .reject_unauthorized = options.reject_unauthorized};
  auto* made = new TlsSocket(loop, options, options.context(), wanted,
                             TlsSocket::Role::kClient);
  std::shared_ptr<TlsSocket> socket(made);
  made->state_->session = options.session;
  made->state_->engine = made->new_engine();
  if (secure) made->on_secure_connect.once(std::move(secure));
  if (options.socket)
    made->take(options.socket);
  else
    made->connect(options);
  return socket;
}

std::shared_ptr<TlsSocket> accept(net::EventLoop& loop,
                                  std::shared_ptr<net::Socket> raw,
                                  AcceptOptions options) {
  EngineOptions wanted{.alpn_protocols = options.alpn_protocols,
                       .request_cert = options.request_cert,
                       .reject_unauthorized = options.reject_unauthorized};
  net::ConnectOptions own;
  own.allow_half_open = options.allow_half_open;
  std::shared_ptr<TlsSocket> socket(new TlsSocket(
      loop, own, options.context(), wanted, TlsSocket::Role::kServer));
  socket->take(std::move(raw));
  return socket;
}

}  // namespace tls
