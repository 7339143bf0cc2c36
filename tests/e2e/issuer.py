"""An issuer of JSON Web Tokens for tests, with keys of its own."""

import base64
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://issuer.example.org"
AUDIENCE = "ferrite"


def encoded(raw):
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def part(value):
    return encoded(json.dumps(value).encode())


def number(value, size=None):
    return encoded(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A key pair that signs with `algorithm`."""

    def __init__(self, algorithm, name, bits=2048):
        self.algorithm = algorithm
        self.name = name
        if algorithm == "RS256":
            self.private = rsa.generate_private_key(65537, bits)
        elif algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()

    def public(self, **more):
        """As a key set has it."""
        key = self.private.public_key()
        if self.algorithm == "RS256":
            numbers = key.public_numbers()
            jwk = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif self.algorithm == "ES256":
            numbers = key.public_numbers()
            jwk = {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        else:
            raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            jwk = {"kty": "OKP", "crv": "Ed25519", "x": encoded(raw)}
        return {"kid": self.name, "use": "sig", **jwk, **more}

    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, text):
        if self.algorithm == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(text)

    def token(self, subject, header=(), **claims):
        """A token for the subject, of five minutes, unless `claims` and `header` say otherwise; what
        is None is left out."""
        now = int(time.time())
        all_claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 300, **claims}
        all_headers = {"alg": self.algorithm, "typ": "JWT", "kid": self.name, **dict(header)}
        parts = [
            part({name: value for name, value in each.items() if value is not None})
            for each in (all_headers, all_claims)
        ]
        text = ".".join(parts).encode()
        return f"{text.decode()}.{encoded(self.sign(text))}"


def key_set(*keys):
    """The text of a file with public keys, or what is to look like some."""
    return json.dumps({"keys": [key.public() if isinstance(key, Key) else key for key in keys]})
