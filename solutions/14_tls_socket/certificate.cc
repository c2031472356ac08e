#include "chapters/14_tls_socket/certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>

#include "common/free_with.h"

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

Certificate::Name describe(const X509_NAME* name) {
  Certificate::Name entries;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    entries[OBJ_nid2sn(nid)] = text_of(X509_NAME_ENTRY_get_data(entry));
  }
  return entries;
}

std::string time_of(const ASN1_TIME* time) {
  return printed([&](BIO* bio) { ASN1_TIME_print(bio, time); });
}

std::string names_of(X509* certificate) {
  int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at < 0) return "";
  return printed([&](BIO* bio) {
    X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0);
  });
}

std::string serial_of(X509* certificate) {
  std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr));
  return printed([&](BIO* bio) { BN_print(bio, number.get()); });
}

std::string fingerprint_of(X509* certificate) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), hash, &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    if (i > 0) text += ':';
    text += {kDigits[hash[i] / 16], kDigits[hash[i] % 16]};
  }
  return text;
}

std::string der_of(X509* certificate) {
  return printed([&](BIO* bio) { i2d_X509_bio(bio, certificate); });
}

}  // namespace

Certificate describe(X509* certificate) {
  return {.subject = describe(X509_get_subject_name(certificate)),
          .issuer = describe(X509_get_issuer_name(certificate)),
          .subjectaltname = names_of(certificate),
          .valid_from = time_of(X509_get0_notBefore(certificate)),
          .valid_to = time_of(X509_get0_notAfter(certificate)),
          .serial_number = serial_of(certificate),
          .fingerprint256 = fingerprint_of(certificate),
          .raw = der_of(certificate)};
}

// Also right: GENERAL_NAMES one by one, which also tells a name with a comma in
// it from two names. Whoever decides by names uses check_server_identity().

}  // namespace tls
