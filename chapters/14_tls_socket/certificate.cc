#include "chapters/14_tls_socket/certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>

#include "common/free_with.h"
#include "common/todo.h"

namespace tls {
namespace {

using net::FreeWith;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;

// What `print` writes into memory.
template <typename Print>
std::string printed(Print print) {
  Bio bio(BIO_new(BIO_s_mem()));
  print(bio.get());
  char* bytes = nullptr;
  long size = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

std::string text_of(const ASN1_STRING* string) {
  return printed([&](BIO* bio) {
    ASN1_STRING_print_ex(bio, string,
                         ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL);
  });
}

[[maybe_unused]] Certificate::Name describe(const X509_NAME* name) {
  Certificate::Name entries;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    entries[OBJ_nid2sn(nid)] = text_of(X509_NAME_ENTRY_get_data(entry));
  }
  return entries;
}

[[maybe_unused]] std::string time_of(const ASN1_TIME* time) {
  return printed([&](BIO* bio) { ASN1_TIME_print(bio, time); });
}

[[maybe_unused]] std::string names_of(X509*) {
  TODO("14.9", "the extension NID_subject_alt_name, printed; or nothing");
}

[[maybe_unused]] std::string serial_of(X509* certificate) {
  std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr));
  return printed([&](BIO* bio) { BN_print(bio, number.get()); });
}

[[maybe_unused]] std::string fingerprint_of(X509*) {
  TODO("14.9", "X509_digest(), as AB:CD:...");
}

[[maybe_unused]] std::string der_of(X509* certificate) {
  return printed([&](BIO* bio) { i2d_X509_bio(bio, certificate); });
}

}  // namespace

Certificate describe(X509*) {
  TODO("14.9", "all of it, by the functions above");
}

}  // namespace tls
