#include "server/tls/served_certificate.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/tls/pem.h"

namespace ferrite {
namespace {

struct Pair {
  std::string certificate;
  std::string key;
};

// One that has issued itself, valid for an hour.
Pair Make(const std::string& name) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_NAME* const subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), subject);
  X509_set_pubkey(made.get(), key.get());
  X509_sign(made.get(), key.get(), EVP_sha256());
  const BioPtr writer(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(writer.get(), made.get());
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(writer.get(), &text));
  return {std::string(text, size), PlainPem(key)};
}

class ServedCertificateTest : public testing::Test {
 protected:
  ServedCertificateTest() {
    std::filesystem::create_directories(folder_);
    Write("crt", own_.certificate);
    Write("key", own_.key);
    Write("ca", first_);
  }
  ~ServedCertificateTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::trunc) << content;
  }
  std::unique_ptr<ServedCertificate> Load() const {
    auto loaded = ServedCertificate::Load(
        {.certificate = Path("crt"), .key = Path("key"), .client_ca = Path("ca")});
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return *std::move(loaded);
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                        ("served_certificate_" + std::to_string(getpid()));
  const Pair own_ = Make("own");
  const std::string first_ = Make("first authority").certificate;
  const std::string second_ = Make("second authority").certificate;
};

// What has been written so far can be read, but lacks an authority: its clients would be refused.
TEST_F(ServedCertificateTest, WhatIsStillBeingWrittenIsNotServed) {
  Write("ca", first_ + second_);
  const auto served = Load();
  Write("ca", second_);
  served->Look();
  EXPECT_EQ(served->renewed(), 0u) << "there may be more to come";
  Write("ca", second_ + first_);
  served->Look();
  EXPECT_EQ(served->renewed(), 0u);
  served->Look();
  EXPECT_EQ(served->renewed(), 1u);
  EXPECT_EQ(served->current()->client_ca_pem, second_ + first_);
}

TEST_F(ServedCertificateTest, WhatTwoLooksFindIsServed) {
  const auto served = Load();
  Write("ca", second_);
  served->Look();
  served->Look();
  EXPECT_EQ(served->renewed(), 1u);
  served->Look();
  EXPECT_EQ(served->renewed(), 1u);
}

TEST_F(ServedCertificateTest, WhatIsBadIsRefusedOnce) {
  const auto served = Load();
  Write("ca", "nonsense");
  for (int i = 0; i < 4; ++i) served->Look();
  EXPECT_EQ(served->refused(CertificateFault::kClientCa), 1u);
  EXPECT_FALSE(served->is_current());
  Write("ca", first_);
  served->Look();
  served->Look();
  EXPECT_TRUE(served->is_current());
  EXPECT_EQ(served->renewed(), 0u) << "it is the one that was in force all the time";
}

}  // namespace
}  // namespace ferrite
