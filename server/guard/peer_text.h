#pragma once

#include <string>

namespace ferrite {

// Who is at the other end of a connection, as 10.0.0.1:5000, [::1]:5000 or unix.
std::string PeerText(int descriptor);

}  // namespace ferrite
