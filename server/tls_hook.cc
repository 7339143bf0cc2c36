#include "server/tls_hook.h"

#include <dlfcn.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>

namespace ferrite {
namespace {

constinit std::atomic<Handshakes*> shown_to = nullptr;

// Where an SSL keeps its client's descriptor, and one more, as zero stands for none.
int DescriptorPlace() {
  static const int place = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return place;
}

template <typename Function>
Function* TheRealOne(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void HookHandshakes(Handshakes* handshakes) {
  shown_to.store(handshakes, std::memory_order_release);
}

int ClientOf(const SSL* tls) {
  return static_cast<int>(reinterpret_cast<intptr_t>(SSL_get_ex_data(tls, DescriptorPlace()))) - 1;
}

}  // namespace ferrite

extern "C" {

SSL* SSL_new(SSL_CTX* context) {
  static auto* const real = ferrite::TheRealOne<decltype(SSL_new)>("SSL_new");
  SSL* const tls = real(context);
  if (ferrite::Handshakes* const shown_to = ferrite::shown_to.load(std::memory_order_acquire);
      shown_to != nullptr && tls != nullptr) {
    const int client = ferrite::Handshakes::Handoff::descriptor();
    SSL_set_ex_data(tls, ferrite::DescriptorPlace(),
                    reinterpret_cast<void*>(static_cast<intptr_t>(client) + 1));
    shown_to->Made(tls);
  }
  return tls;
}

int SSL_do_handshake(SSL* tls) {
  static auto* const real = ferrite::TheRealOne<decltype(SSL_do_handshake)>("SSL_do_handshake");
  const int result = real(tls);
  if (ferrite::Handshakes* const shown_to = ferrite::shown_to.load(std::memory_order_acquire);
      shown_to != nullptr) {
    shown_to->Stepped(tls, result);
  }
  return result;
}

void SSL_free(SSL* tls) {
  static auto* const real = ferrite::TheRealOne<decltype(SSL_free)>("SSL_free");
  if (ferrite::Handshakes* const shown_to = ferrite::shown_to.load(std::memory_order_acquire);
      shown_to != nullptr) {
    shown_to->Gone(tls);
  }
  real(tls);
}

}  // extern "C"
