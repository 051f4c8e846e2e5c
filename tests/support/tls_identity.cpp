#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "tests/support/scripted_server.h"

namespace remitod::test {
namespace {

void check(bool done) {
  if (!done) throw std::runtime_error("libcrypto cannot make a certificate");
}

template <class Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  check(write(memory.get()) == 1);
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(count)};
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()), X509_EXTENSION_free);
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

TlsIdentity TlsIdentity::make(const std::string& host, std::chrono::seconds from, std::chrono::seconds until) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  check(key && certificate);
  X509* x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), from.count());
  X509_gmtime_adj(X509_getm_notAfter(x509), until.count());
  X509_NAME* subject = X509_get_subject_name(x509);
  check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("remitod test"),
                                   -1, -1, 0) == 1);
  check(X509_set_issuer_name(x509, subject) == 1 && X509_set_pubkey(x509, key.get()) == 1);
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  add_extension(x509, NID_subject_alt_name, (numeric ? "IP:" : "DNS:") + host);
  add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
  check(X509_sign(x509, key.get(), EVP_sha256()) > 0);
  return {.key_pem = to_pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          .certificate_pem = to_pem([&](BIO* out) { return PEM_write_bio_X509(out, x509); })};
}

}  // namespace remitod::test
