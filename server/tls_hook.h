#pragma once

// Shows Handshakes what gRPC does with OpenSSL, in the way of frame_hook.h: SSL_new(),
// SSL_do_handshake() and SSL_free() of the program go before the library's.
//
// Only where this is linked into a program.

#include "server/tls/handshakes.h"

namespace ferrite {

// They are shown from now on. They must live as long as the process, as gRPC ends connections in
// its own time. Call it once, before the first thread is started.
void HookHandshakes(Handshakes* handshakes);

// The descriptor of the connection of a client that it was made for; -1: it was made for another.
int ClientOf(const SSL* tls);

}  // namespace ferrite
