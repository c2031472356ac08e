// Makes the certificates of the TLS tests, anew in each build tree: no private
// key is ever checked in.
//
//   make_certificates DIR      writes DIR/ca-cert.pem, ..., DIR/credentials.cc
//
// They are valid from 2020 to 2120, but for those that are meant not to be.
// README.md says what each is for.
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "common/free_with.h"
#include "common/testing/certificates/passphrase.h"

namespace {

constexpr const char* kPassphrase = graded::kPassphrase;
constexpr const char* kFrom = "20200101000000Z";
constexpr const char* kUntil = "21200101000000Z";

using net::FreeWith;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;

// Passes on what OpenSSL returned, unless it is 0 or a null pointer.
template <typename T>
T must(T result, const char* call) {
  if (result) return result;
  std::cerr << "make_certificates: " << call << " failed\n";
  ERR_print_errors_fp(stderr);
  std::exit(1);
}
#define MUST(call) must(call, #call)

std::map<std::string, std::string> files;  // by name

template <typename Write>
std::string written(Write write) {
  Bio memory(MUST(BIO_new(BIO_s_mem())));
  MUST(write(memory.get()) > 0);
  char* data = nullptr;
  long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string pem_of(X509* certificate) {
  return written(
      [&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string pem_of(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  return written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, cipher, nullptr, 0, nullptr,
                                         const_cast<char*>(kPassphrase));
  });
}

struct Issuer {
  Certificate certificate;
  Key key;
  long next_serial = 0x1000;
};

struct Wanted {
  std::string name;         // of its files
  std::string common_name;  // CN
  std::string names;        // subjectAltName; "": none
  std::string usage;        // extendedKeyUsage; "": of a CA
  const char* from = kFrom;
  const char* until = kUntil;
};

void set_time(ASN1_TIME* time, const char* text) {
  // As UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280).
  MUST(ASN1_TIME_set_string_X509(time, text));
}

void add_extension(X509* certificate, X509* issuer, int kind,
                   const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      MUST(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  MUST(X509_add_ext(certificate, extension, -1));
  X509_EXTENSION_free(extension);
}

void add_extensions(X509* certificate, X509* issuer, const Wanted& wanted) {
  auto add = [&](int kind, const std::string& value) {
    add_extension(certificate, issuer, kind, value);
  };
  bool is_ca = wanted.usage.empty();
  add(NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  add(NID_key_usage,
      is_ca ? "critical,keyCertSign,cRLSign" : "digitalSignature");
  add(NID_subject_key_identifier, "hash");
  add(NID_authority_key_identifier, "keyid");
  if (!is_ca) add(NID_ext_key_usage, wanted.usage);
  if (!wanted.names.empty()) add(NID_subject_alt_name, wanted.names);
}

// By `issuer`, or signed with its own key.
Issuer make(const Wanted& wanted, Issuer* issuer) {
  Issuer made{Certificate(MUST(X509_new())), Key(MUST(EVP_EC_gen("P-256")))};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  long serial = issuer ? issuer->next_serial++ : made.next_serial++;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  set_time(X509_getm_notBefore(certificate), wanted.from);
  set_time(X509_getm_notAfter(certificate), wanted.until);
  X509_NAME* name = X509_get_subject_name(certificate);
  auto add = [&](const char* field, const std::string& value) {
    auto* bytes = reinterpret_cast<const unsigned char*>(value.c_str());
    MUST(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, -1, -1,
                                    0));
  };
  add("O", "Oracle Test");
  add("CN", wanted.common_name);
  X509* by = issuer ? issuer->certificate.get() : certificate;
  MUST(X509_set_issuer_name(certificate, X509_get_subject_name(by)));
  MUST(X509_set_pubkey(certificate, made.key.get()));
  add_extensions(certificate, by, wanted);
  EVP_PKEY* key = issuer ? issuer->key.get() : made.key.get();
  MUST(X509_sign(certificate, key, EVP_sha256()));
  files[wanted.name + "-cert.pem"] = pem_of(certificate);
  files[wanted.name + "-key.pem"] = pem_of(made.key.get());
  return made;
}

void revoke(X509_CRL* list, X509* certificate, ASN1_TIME* when) {
  X509_REVOKED* entry = MUST(X509_REVOKED_new());
  MUST(
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate)));
  MUST(X509_REVOKED_set_revocationDate(entry, when));
  MUST(X509_CRL_add0_revoked(list, entry));
}

// What `issuer` has taken back: one certificate, or none.
std::string revocation_list(const Issuer& issuer, X509* revoked) {
  X509_CRL* list = MUST(X509_CRL_new());
  ASN1_TIME* from = MUST(ASN1_TIME_new());
  ASN1_TIME* until = MUST(ASN1_TIME_new());
  set_time(from, kFrom);
  set_time(until, kUntil);
  MUST(X509_CRL_set_version(list, 1));
  MUST(X509_CRL_set_issuer_name(
      list, X509_get_subject_name(issuer.certificate.get())));
  MUST(X509_CRL_set1_lastUpdate(list, from));
  MUST(X509_CRL_set1_nextUpdate(list, until));
  if (revoked) revoke(list, revoked, from);
  MUST(X509_CRL_sort(list));
  MUST(X509_CRL_sign(list, issuer.key.get(), EVP_sha256()));
  std::string pem =
      written([&](BIO* out) { return PEM_write_bio_X509_CRL(out, list); });
  ASN1_TIME_free(from);
  ASN1_TIME_free(until);
  X509_CRL_free(list);
  return pem;
}

std::string bundle(const Issuer& of, X509* ca) {
  STACK_OF(X509)* others = MUST(sk_X509_new_null());
  MUST(sk_X509_push(others, ca));
  PKCS12* bundle =
      MUST(PKCS12_create(kPassphrase, "server", of.key.get(),
                         of.certificate.get(), others, 0, 0, 0, 0, 0));
  std::string bytes =
      written([&](BIO* out) { return i2d_PKCS12_bio(out, bundle); });
  PKCS12_free(bundle);
  sk_X509_free(others);
  return bytes;
}

void make_all() {
  const char* const server_use = "serverAuth";
  const char* const client_use = "clientAuth";
  const std::string local = "DNS:localhost,IP:127.0.0.1";
  Issuer ca = make({"ca", "Oracle CA", "", ""}, nullptr);
  Issuer other = make({"ca2", "Other CA", "", ""}, nullptr);
  Issuer middle = make({"intermediate", "Middle CA", "", ""}, &ca);

  Issuer server = make({"server", "localhost", local, server_use}, &ca);
  make({"sni", "sni.example", "DNS:sni.example,DNS:*.wild.example", server_use},
       &ca);
  make({"wildcard", "wildcard.test", "DNS:*.wild.test", server_use}, &ca);
  make({"part", "part.test", "DNS:f*.wild.test", server_use}, &ca);
  make({"names", "cn.test", "DNS:one.test,DNS:two.test,DNS:three.test",
        server_use},
       &ca);
  make({"cn", "cn.test", "", server_use}, &ca);
  make({"ip", "ip.test", "IP:127.0.0.1,IP:::1", server_use}, &ca);
  make({"ip-as-dns", "ip.test", "DNS:127.0.0.1", server_use}, &ca);
  make({"expired", "localhost", local, server_use, kFrom, "20200201000000Z"},
       &ca);
  make({"future", "localhost", local, server_use, "21190101000000Z"}, &ca);
  make({"selfsigned", "localhost", local, server_use}, nullptr);
  make({"unknown", "localhost", local, server_use}, &other);
  make({"chained", "localhost", local, server_use}, &middle);
  files["chained-chain.pem"] =
      files["chained-cert.pem"] + files["intermediate-cert.pem"];
  Issuer fallen = make({"fallen", "Fallen CA", "", ""}, &ca);
  make({"orphan", "localhost", local, server_use}, &fallen);
  Issuer revoked =
      make({"revoked", "localhost", local, "serverAuth,clientAuth"}, &ca);
  make({"client", "oracle-client", "", client_use}, &ca);
  make({"rogue", "rogue-client", "", client_use}, &other);
  // A client's certificate with a server's names.
  make({"wrong-usage", "localhost", local, client_use}, &ca);

  files["ca-crl.pem"] = revocation_list(ca, revoked.certificate.get());
  files["fallen-crl.pem"] = revocation_list(fallen, nullptr) +
                            revocation_list(ca, fallen.certificate.get());
  files["server-key-enc.pem"] = pem_of(server.key.get(), EVP_aes_256_cbc());
  files["server.pfx"] = bundle(server, ca.certificate.get());
}

// For C++: all files in one map.
std::string as_source() {
  std::string text =
      "#include <map>\n#include <string>\n\nnamespace graded {\n\n"
      "extern const std::map<std::string, std::string, std::less<>> "
      "kCredentials;\n"
      "const std::map<std::string, std::string, std::less<>> kCredentials{\n";
  for (const auto& [name, bytes] : files) {
    text += "    {\"" + name + "\", std::string(\"";
    for (unsigned char byte : bytes) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\%03o", byte);
      text += escaped;
    }
    text += "\", " + std::to_string(bytes.size()) + ")},\n";
  }
  return text + "};\n\n}  // namespace graded\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_certificates DIR\n";
    return 2;
  }
  make_all();
  files["credentials.cc"] = as_source();
  for (const auto& [name, bytes] : files) {
    std::string path = std::string(argv[1]) + "/" + name;
    std::ofstream out(path, std::ios::binary);
    out << bytes;
    if (!out.flush()) {
      std::cerr << "make_certificates: cannot write " << path << "\n";
      return 1;
    }
  }
}
