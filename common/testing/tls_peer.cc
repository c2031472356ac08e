#include "common/testing/tls_peer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "common/testing/certificates/credentials.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"

namespace graded {
namespace {

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("the test's own ") + what);
}

std::unique_ptr<BIO, decltype(&BIO_free_all)> reader_of(
    const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
          BIO_free_all};
}

X509* certificate(const std::string& name) {
  auto in = reader_of(credential(name + "-cert.pem"));
  X509* read = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr);
  must(read != nullptr, "certificate");
  return read;
}

void use_credential(SSL_CTX* context, const std::string& name) {
  X509* own = certificate(name);
  must(SSL_CTX_use_certificate(context, own) == 1, "certificate");
  X509_free(own);
  auto in = reader_of(credential(name + "-key.pem"));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr);
  must(SSL_CTX_use_PrivateKey(context, key) == 1, "key");
  EVP_PKEY_free(key);
}

void verify_with(SSL_CTX* context, const std::string& name) {
  X509* ca = certificate(name);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
  SSL_CTX_add_client_CA(context, ca);
  X509_free(ca);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
}

std::string wire_format(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& name : protocols)
    wire += static_cast<char>(name.size()) + name;
  return wire;
}

}  // namespace

// The signal is the thread's that caused it.
void block_sigpipe() {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

Opposite::Opposite(std::function<void(Connection&)> script) {
  thread_ = std::thread([this, script = std::move(script)] {
    Unwatched ours;
    block_sigpipe();
    try {
      script(pair_.ours);
    } catch (const ::testing::AssertionException&) {
      // The peer has given up, and has said so.
    } catch (const std::exception& error) {
      ADD_FAILURE() << "The peer's script ended: " << error.what();
    }
  });
}

Opposite::~Opposite() {
  Unwatched ours;
  // Wakes a script that waits for what will never come.
  if (::testing::Test::HasFailure() || std::uncaught_exceptions() > 0)
    if (pair_.ours.fd() >= 0) ::shutdown(pair_.ours.fd(), SHUT_RDWR);
  wait();
}

int Opposite::take() {
  return std::exchange(pair_.theirs, -1);
}

void Opposite::wait() {
  if (thread_.joinable()) thread_.join();
}

TlsEnd::TlsEnd(Connection& wire, Role role, const Options& options)
    : context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX* context = context_.get();
  if (!options.credential.empty()) use_credential(context, options.credential);
  if (!options.ca.empty()) verify_with(context, options.ca);
  if (options.configure) options.configure(context);
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), wire.fd());
  if (!options.servername.empty())
    SSL_set_tlsext_host_name(ssl_.get(), options.servername.c_str());
  std::string protocols = wire_format(options.alpn);
  SSL_set_alpn_protos(ssl_.get(),
                      reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  if (role == kClient)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

void TlsEnd::note_failure(int result) {
  int number = errno;
  int kind = SSL_get_error(ssl_.get(), result);
  int reason = ERR_GET_REASON(ERR_peek_error());
  if (kind == SSL_ERROR_ZERO_RETURN)
    failure_ = "close_notify";
  else if (kind == SSL_ERROR_SSL &&
           reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    failure_ = "FIN";
  else if (kind == SSL_ERROR_SYSCALL)
    failure_ = errno_name(number);
  else if (const char* words = ERR_reason_error_string(ERR_peek_error()))
    failure_ = words;
  else
    failure_ = "SSL_get_error() = " + std::to_string(kind);
  ERR_clear_error();
}

bool TlsEnd::handshake() {
  Unwatched ours;
  ERR_clear_error();
  int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    step("peer", std::string("has shaken hands, ") + SSL_get_version(ssl()));
    return true;
  }
  note_failure(result);
  step("peer", "the handshake failed: " + failure_);
  return false;
}

void TlsEnd::send(std::string_view bytes) {
  Unwatched ours;
  ERR_clear_error();
  std::size_t n = 0;
  step("peer", "sends " + in_quotes(bytes));
  int result = SSL_write_ex(ssl(), bytes.data(), bytes.size(), &n);
  if (result == 1) return;
  note_failure(result);
  step("peer", "cannot send: " + failure_);
}

std::string TlsEnd::receive(std::size_t n) {
  Unwatched ours;
  std::string got;
  char buffer[16384];
  while (got.size() < n) {
    ERR_clear_error();
    std::size_t now = 0;
    int result = SSL_read_ex(ssl(), buffer,
                             std::min(n - got.size(), sizeof buffer), &now);
    if (result != 1) {
      note_failure(result);
      step("peer", "received " + in_quotes(got) + ", then " + failure_);
      return got;
    }
    got.append(buffer, now);
  }
  step("peer", "received " + in_quotes(got));
  return got;
}

std::string TlsEnd::hear() {
  std::string got = receive(std::string().max_size());
  return got + (got.empty() ? "" : ", then ") + failure_;
}

void TlsEnd::close_notify() {
  Unwatched ours;
  step("peer", "sends close_notify");
  ERR_clear_error();
  SSL_shutdown(ssl());
  ERR_clear_error();
}

}  // namespace graded
