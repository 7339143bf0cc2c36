#pragma once

#include <memory>

#include "server/guard/test_peer.h"

namespace ferrite {

// One that speaks TLS, shows no certificate and believes any.
std::unique_ptr<TestPeer> MakeTlsTestPeer(int descriptor);

}  // namespace ferrite
