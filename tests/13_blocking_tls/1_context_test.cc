#include <openssl/pem.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chapters/13_blocking_tls/identity.h"
#include "chapters/13_blocking_tls/tls_error.h"
#include "tests/13_blocking_tls/support.h"

using namespace graded;

namespace {

// The option that a context's error begins with.
std::string blamed(const tls::ContextOptions& options) {
  try {
    tls::Context context(options);
  } catch (const net::Error& error) {
    step("code", "throws " + error.code + " \"" + error.message + "\"");
    return error.message.substr(0, error.message.find(':'));
  }
  return kNothing;
}

tls::ContextOptions changed(
    const std::function<void(tls::ContextOptions&)>& change) {
  tls::ContextOptions options = with_credential("server");
  change(options);
  return options;
}

// The code under test as a server, and a client that trusts ca: how the
// client's handshake ends.
std::string handshake_with(const tls::ContextOptions& context) {
  std::string outcome;
  Opposite opposite([&](Connection& wire) {
    TlsEnd tls(wire, TlsEnd::kClient, {.ca = "ca"});
    outcome = tls.handshake() ? "verified" : tls.failure();
  });
  code_of([&] { accept_from(opposite, context); });
  opposite.wait();
  return outcome;
}

TlsEnd::Options speaking(int min, int max, const char* ciphers = nullptr) {
  return {.credential = "server", .configure = [=](SSL_CTX* context) {
            SSL_CTX_set_min_proto_version(context, min);
            SSL_CTX_set_max_proto_version(context, max);
            if (ciphers) SSL_CTX_set_cipher_list(context, ciphers);
          }};
}

using OwnX509 = std::unique_ptr<X509, decltype(&X509_free)>;

OwnX509 certificate(const std::string& name) {
  const std::string& pem = credential(name + "-cert.pem");
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  OwnX509 read(PEM_read_bio_X509(in, nullptr, nullptr, nullptr), X509_free);
  BIO_free(in);
  return read;
}

// "host: yes" for each host that the certificate is for.
std::vector<std::string> verdicts(const std::string& name,
                                  const std::vector<std::string>& hosts) {
  OwnX509 subject = certificate(name);
  std::vector<std::string> lines;
  for (const std::string& host : hosts)
    lines.push_back(
        host + ": " +
        (tls::check_server_identity(host, subject.get()) ? "no" : "yes"));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST(Errors, TheOldestIsTheCause) {
  RULE("ERRQ-1");
  // OpenSSL has no words before it is used for the first time.
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);
  ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
  ERR_raise(ERR_LIB_SSL, SSL_R_UNKNOWN_PROTOCOL);

  net::Error error = tls::take_error("handshake");

  EXPECT_IS((Lines{error.code, error.message}),
            (Lines{"ERR_SSL_WRONG_VERSION_NUMBER",
                   "handshake: wrong version number"}))
      << "The first error in the queue is the cause; the later ones say that "
         "their callers failed, too.";
}

TEST(Errors, TheQueueIsEmptyAfterwards) {
  RULE("ERRQ-1");
  ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
  ERR_raise(ERR_LIB_SSL, SSL_R_UNKNOWN_PROTOCOL);

  tls::take_error("handshake");

  EXPECT_IS(ERR_peek_error(), 0ul)
      << "Whatever stays in the queue is found by the next connection of this "
         "thread.";
}

TEST(Errors, TheLibraryIsPartOfTheCode) {
  RULE("ERRQ-1");
  ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
  std::string of_x509 = tls::take_error("key").code;
  std::string of_nobody = tls::take_error("key").code;

  EXPECT_IS((Lines{of_x509, of_nobody}),
            (Lines{"ERR_OSSL_X509_KEY_VALUES_MISMATCH", "ERR_SSL_UNKNOWN"}))
      << "Node's code has the library's name in it, where it is not SSL. The "
         "second time the queue is empty.";
}

TEST(Versions, NothingBelow12CanBeAskedFor) {
  RULE("WEAK-1");
  Lines blame;
  for (const char* version : {"TLSv1", "TLSv1.1", "SSLv3", "tls", ""}) {
    tls::ContextOptions lowest, highest;
    lowest.min_version = highest.max_version = version;
    blame.push_back(blamed(lowest));
    blame.push_back(blamed(highest));
  }

  EXPECT_IS(blame,
            (Lines{"min_version", "max_version", "min_version", "max_version",
                   "min_version", "max_version", "min_version", "max_version",
                   "min_version", "max_version"}))
      << "TLS 1.0 and 1.1 are broken (RFC 8996). An option that asks for one "
         "of them, or for what is no version, cannot be used.";
}

TEST(Ciphers, OnlyStrongOnesByDefault) {
  RULE("WEAK-1");
  tls::Context context{tls::ContextOptions()};

  Lines weak;
  STACK_OF(SSL_CIPHER)* all = SSL_CTX_get_ciphers(context.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(all, i);
    int exchange = SSL_CIPHER_get_kx_nid(cipher);
    bool forward = exchange == NID_kx_ecdhe || exchange == NID_kx_dhe ||
                   exchange == NID_kx_any;
    if (!forward || !SSL_CIPHER_is_aead(cipher))
      weak.push_back(SSL_CIPHER_get_name(cipher));
  }

  EXPECT_IS(weak, Lines())
      << "Each of these lacks a key that is thrown away after the connection "
         "(ECDHE), or encryption that notices changes (GCM, CHACHA20).";
}

TEST(Versions, TheHighestThatBothAllow) {
  RULE("TLSVER-1");
  Opposite old(tls_server({}, speaking(TLS1_2_VERSION, TLS1_2_VERSION)));
  Opposite young(tls_server({}, speaking(TLS1_2_VERSION, TLS1_3_VERSION)));

  std::string with_old = connect_to(old).protocol();
  std::string with_young = connect_to(young).protocol();

  EXPECT_IS((Lines{with_old, with_young}), (Lines{"TLSv1.2", "TLSv1.3"}))
      << "The first server speaks TLS 1.2 at most, the second one both.";
}

TEST(Versions, NoneInCommon) {
  RULE("TLSVER-1");
  Opposite old_server(tls_server({}, speaking(TLS1_2_VERSION, TLS1_2_VERSION)));
  Opposite old_client(tls_client({}, speaking(TLS1_2_VERSION, TLS1_2_VERSION)));
  tls::ContextOptions client = trusting();
  tls::ContextOptions server = with_credential("server");
  client.min_version = server.min_version = "TLSv1.3";

  std::string as_client = code_of([&] { connect_to(old_server, client); });
  std::string as_server = code_of([&] { accept_from(old_client, server); });

  EXPECT_IS((Lines{as_client, as_server}),
            (Lines{"ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
                   "ERR_SSL_UNSUPPORTED_PROTOCOL"}))
      << "The other end speaks TLS 1.2 only, and min_version is 1.3. The "
         "server notices, and the client is told by an alert.";
}

TEST(Ciphers, NoneInCommon) {
  RULE("TLSVER-1");
  Opposite opposite(tls_client({}, speaking(TLS1_2_VERSION, TLS1_2_VERSION,
                                            "ECDHE-ECDSA-AES256-GCM-SHA384")));
  tls::ContextOptions options = with_credential("server");
  options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";

  std::string code = code_of([&] { accept_from(opposite, options); });

  EXPECT_IS(code, "ERR_SSL_NO_SHARED_CIPHER")
      << "The client has AES256 alone, the server AES128 alone.";
}

TEST(Ciphers, TheServersOrderDecidesUnlessItSaysOtherwise) {
  RULE("TLSVER-1");
  TlsEnd::Options wanted =
      speaking(TLS1_2_VERSION, TLS1_2_VERSION,
               "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
  Opposite first(tls_client({}, wanted)), second(tls_client({}, wanted));
  tls::ContextOptions options = with_credential("server");
  options.ciphers =
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";

  std::string own = accept_from(first, options).cipher();
  options.honor_cipher_order = false;
  std::string theirs = accept_from(second, options).cipher();

  EXPECT_IS((Lines{own, theirs}), (Lines{"ECDHE-ECDSA-AES128-GCM-SHA256",
                                         "ECDHE-ECDSA-AES256-GCM-SHA384"}))
      << "The server prefers AES128, the client AES256.";
}

TEST(Ciphers, OfOneGenerationMeanThatGeneration) {
  RULE("TLSVER-1");
  Opposite first(tls_server()), second(tls_server());
  tls::ContextOptions options = trusting();

  options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  tls::Connection old = connect_to(first, options);
  options.ciphers = "TLS_CHACHA20_POLY1305_SHA256";
  tls::Connection young = connect_to(second, options);

  EXPECT_IS(
      (Lines{old.protocol(), old.cipher(), young.protocol(), young.cipher()}),
      (Lines{"TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.3",
             "TLS_CHACHA20_POLY1305_SHA256"}))
      << "A list with names of TLS 1.2 alone allows nothing of TLS 1.3, and "
         "the reverse.";
}

TEST(Ciphers, OfTls13AloneAreNothingToAPeerThatIsOlder) {
  RULE("TLSVER-1");
  Opposite old(tls_server({}, speaking(TLS1_2_VERSION, TLS1_2_VERSION)));
  tls::ContextOptions options = trusting();
  options.ciphers = "TLS_CHACHA20_POLY1305_SHA256";

  EXPECT_IS(code_of([&] { connect_to(old, options); }),
            "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
      << "The peer speaks TLS 1.2 only, and the list has no cipher for that. "
         "OpenSSL goes on with its own, if it may speak TLS 1.2.";
}

TEST(Credentials, WhatCannotBeUsedIsBlamedAtOnce) {
  RULE("TLSCFG-1");
  Lines blame;
  auto look = [&](const std::string& what,
                  const std::function<void(tls::ContextOptions&)>& change) {
    blame.push_back(what + ": " + blamed(changed(change)));
  };

  look("as it should be", [](auto&) {});
  look("key of another", [](auto& o) { o.key = credential("client-key.pem"); });
  look("key is none", [](auto& o) { o.key = "not a key"; });
  look("cert is none", [](auto& o) { o.cert = "not a certificate"; });
  look("cert is cut", [](auto& o) { o.cert.resize(o.cert.size() / 2); });
  look("ca is none", [](auto& o) { o.ca = "not a certificate"; });
  look("crl is none", [](auto& o) { o.crl = "not a list"; });
  look("pfx is none", [](auto& o) { o.pfx = "not a bundle"; });
  look("no such cipher", [](auto& o) { o.ciphers = "NO-SUCH-CIPHER"; });
  look("no such suite", [](auto& o) { o.ciphers = "TLS_NO_SUCH_SUITE"; });
  look("33 bytes", [](auto& o) { o.session_id_context.assign(33, 'x'); });

  EXPECT_IS(blame,
            (Lines{"as it should be: nothing was thrown", "key of another: key",
                   "key is none: key", "cert is none: cert",
                   "cert is cut: cert", "ca is none: ca", "crl is none: crl",
                   "pfx is none: pfx", "no such cipher: ciphers",
                   "no such suite: ciphers", "33 bytes: session_id_context"}))
      << "The message begins with the option that is to be mended.";
}

TEST(Credentials, AWrongPassphraseIsBlamedAtOnce) {
  RULE("TLSCFG-1");
  auto encrypted = [](const std::string& passphrase) {
    return changed([&](auto& o) {
      o.key = credential("server-key-enc.pem");
      o.passphrase = passphrase;
    });
  };
  tls::ContextOptions bundle;
  bundle.pfx = credential("server.pfx");
  bundle.passphrase = "wrong";

  EXPECT_IS((Lines{blamed(encrypted("")), blamed(encrypted("wrong")),
                   blamed(bundle)}),
            (Lines{"passphrase", "passphrase", "passphrase"}))
      << "An encrypted key without a passphrase and with a wrong one, and a "
         "bundle with a wrong one. Nobody may be asked at a terminal.";
}

TEST(Credentials, AnEncryptedKeyIsAsGoodAsAPlainOne) {
  RULE("TLSCFG-2");
  tls::ContextOptions options = changed([](auto& o) {
    o.key = credential("server-key-enc.pem");
    o.passphrase = kPassphrase;
  });

  EXPECT_IS(handshake_with(options), "verified")
      << "The client trusts the certificate of this key.";
}

TEST(Credentials, ABundleHoldsKeyAndCertificate) {
  RULE("TLSCFG-2");
  tls::ContextOptions options;
  options.pfx = credential("server.pfx");
  options.passphrase = kPassphrase;

  EXPECT_IS(handshake_with(options), "verified")
      << "pfx stands in place of cert and key.";
}

TEST(Credentials, TheWholeChainIsSent) {
  RULE("TLSCFG-2");
  tls::ContextOptions options;
  options.cert = credential("chained-chain.pem");
  options.key = credential("chained-key.pem");

  EXPECT_IS(handshake_with(options), "verified")
      << "The client knows ca only. It needs the second certificate of cert, "
         "of the authority in between, to get from the first one to ca.";
}

TEST(Trust, IsWhatCaSays) {
  RULE("TLSAUTH-4");
  Lines codes;
  for (auto [theirs, trusted] : {std::pair("server", "ca"),
                                 {"server", "ca2"},
                                 {"unknown", "ca2"},
                                 {"selfsigned", "ca"},
                                 {"selfsigned", "selfsigned"}}) {
    Opposite opposite(tls_server({}, {.credential = theirs}));
    tls::ContextOptions options = trusting(trusted);
    std::string code = code_of([&] { connect_to(opposite, options); });
    codes.push_back(std::string(theirs) + " by " + trusted + ": " +
                    without_issuer(code));
  }

  EXPECT_IS(codes, (Lines{"server by ca: nothing was thrown",
                          "server by ca2: issuer unknown",
                          "unknown by ca2: nothing was thrown",
                          "selfsigned by ca: DEPTH_ZERO_SELF_SIGNED_CERT",
                          "selfsigned by selfsigned: nothing was thrown"}))
      << "A certificate is good if it leads to one that is in ca, or is in ca "
         "itself.";
}

TEST(Trust, CaReplacesTheSystemsAuthorities) {
  RULE("TLSAUTH-4");
  // The system's file of authorities holds ca, for this process.
  const std::string& pem = credential("ca-cert.pem");
  OwnFd file(::memfd_create("authorities", 0));
  ASSERT_IS(::write(file.get(), pem.data(), pem.size()),
            static_cast<ssize_t>(pem.size()));
  std::string path = "/proc/self/fd/" + std::to_string(file.get());
  ::setenv("SSL_CERT_FILE", path.c_str(), 1);
  Opposite first(tls_server()), second(tls_server());

  std::string by_system = code_of([&] { connect_to(first, {}); });
  std::string by_ca = code_of([&] { connect_to(second, trusting("ca2")); });

  EXPECT_IS((Lines{by_system, without_issuer(by_ca)}),
            (Lines{kNothing, "issuer unknown"}))
      << "Without ca the system's authorities are trusted, and they know this "
         "server. With it they are not.";
}

TEST(Trust, WhatIsRevokedIsNotTrusted) {
  RULE("TLSAUTH-8");
  tls::ContextOptions with_list = trusting();
  with_list.crl = credential("ca-crl.pem");
  TlsEnd::Options revoked{.credential = "revoked"};
  Opposite first(tls_server({}, revoked)), second(tls_server({}, revoked));
  Opposite third(tls_server());

  std::string without = code_of([&] { connect_to(first); });
  std::string with = code_of([&] { connect_to(second, with_list); });
  std::string good = code_of([&] { connect_to(third, with_list); });

  EXPECT_IS((Lines{without, with, good}),
            (Lines{kNothing, "CERT_REVOKED", kNothing}))
      << "A revoked certificate without crl and with it, and one that is not "
         "on the list.";
}

TEST(Trust, EndsWithAnAuthorityThatIsRevoked) {
  RULE("TLSAUTH-8");
  // Of these two lists the first is of the authority in between, and is empty.
  tls::ContextOptions with_lists = trusting();
  with_lists.crl = credential("fallen-crl.pem");
  auto chain = [](SSL_CTX* context) {
    SSL_CTX_add1_chain_cert(context, certificate("fallen").get());
  };
  TlsEnd::Options orphan{.credential = "orphan", .configure = chain};
  Opposite first(tls_server({}, orphan)), second(tls_server({}, orphan));

  std::string without = code_of([&] { connect_to(first); });
  std::string with = code_of([&] { connect_to(second, with_lists); });

  EXPECT_IS((Lines{without, with}), (Lines{kNothing, "CERT_REVOKED"}))
      << "The server's certificate leads to ca by an authority in between. "
         "That one is revoked: it is on ca's list, the second one in crl.";
}

TEST(Names, AreThoseOfTheCertificate) {
  RULE("NAME-1");
  EXPECT_IS(
      verdicts("names", {"one.test", "three.test", "TWO.Test", "four.test",
                         "one.test.evil", "sub.one.test", "test", "cn.test"}),
      (Lines{"one.test: yes", "three.test: yes", "TWO.Test: yes",
             "four.test: no", "one.test.evil: no", "sub.one.test: no",
             "test: no", "cn.test: no"}))
      << "The certificate has the DNS entries one.test, two.test and "
         "three.test. Its CN, cn.test, does not count beside them.";
}

TEST(Names, AreTheCnWhereThereIsNoEntry) {
  RULE("NAME-1");
  EXPECT_IS(verdicts("cn", {"cn.test", "one.test"}),
            (Lines{"cn.test: yes", "one.test: no"}))
      << "The certificate has no subjectAltName at all.";
}

TEST(Names, AStarIsOneLabel) {
  RULE("NAME-2");
  EXPECT_IS(verdicts("wildcard", {"a.wild.test", "b.wild.test", "A.WILD.test",
                                  "a.b.wild.test", "wild.test", ".wild.test",
                                  "awild.test", "wildcard.test"}),
            (Lines{"a.wild.test: yes", "b.wild.test: yes", "A.WILD.test: yes",
                   "a.b.wild.test: no", "wild.test: no", ".wild.test: no",
                   "awild.test: no", "wildcard.test: no"}))
      << "The certificate is for *.wild.test. (What begins with a dot is no "
         "host; X509_check_host() takes it for all that end so.)";
}

TEST(Names, AStarIsNoPartOfALabel) {
  RULE("NAME-2");
  EXPECT_IS(verdicts("part", {"foo.wild.test", "f.wild.test"}),
            (Lines{"foo.wild.test: no", "f.wild.test: no"}))
      << "The certificate is for f*.wild.test.";
}

TEST(Names, AnAddressIsNoName) {
  RULE("NAME-3");
  EXPECT_IS(verdicts("ip", {"127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "127.0.0.2",
                            "::2"}),
            (Lines{"127.0.0.1: yes", "::1: yes", "0:0:0:0:0:0:0:1: yes",
                   "127.0.0.2: no", "::2: no"}))
      << "The certificate has the IP entries 127.0.0.1 and ::1.";
  EXPECT_IS(verdicts("ip-as-dns", {"127.0.0.1"}), (Lines{"127.0.0.1: no"}))
      << "127.0.0.1 as a DNS entry is not that address.";
}
