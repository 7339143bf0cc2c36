"""Policies for tests: files that a server reads, and callers with tokens."""

import hashlib
import os
import pathlib

import grpc
from cache_client import CacheClient


def token(name):
    """The token of a test's principal `token:NAME`; as good as random here."""
    return hashlib.sha256(f"secret of {name}".encode()).hexdigest()


# To be bound, for whoever reads the metrics: scrape(server, token("scraper")).
SCRAPES = {"scrapes": {"verbs": ["metrics"]}}
SCRAPER = {"token:scraper": ["scrapes"]}


def policy(roles, bindings, tokens=()):
    """The text of a policy. `roles` has the fields of each by its name, `bindings` the roles of each
    principal. The tokens of all principals that are bound, and of `tokens`, are known."""
    names = {who.removeprefix("token:") for who in bindings if who.startswith("token:")}
    lines = ["roles:"]
    for name, fields in roles.items():
        lines.append(f"- name: {name}")
        lines += [f"  {field}: {list(values)}".replace("'", '"') for field, values in fields.items()]
    lines.append("bindings:")
    for principal, bound in bindings.items():
        lines.append(f"- {{principal: {principal!r}, roles: {list(bound)}}}")
    known = sorted(names | set(tokens))
    lines.append("tokens:" if known else "tokens: []")
    for name in known:
        digest = hashlib.sha256(token(name).encode()).hexdigest()
        lines.append(f"- {{name: {name}, sha256: {digest!r}}}")
    return "\n".join(lines) + "\n"


def replace(path, text):
    """Puts a text in the place of a file at once, as careful programs do."""
    new = pathlib.Path(f"{path}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Shows a token with each call."""

    def __init__(self, authorization):
        self._authorization = authorization

    def _intercept(self, continuation, details, request):
        metadata = [*(details.metadata or ()), ("authorization", self._authorization)]
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_unary = _intercept
    intercept_unary_stream = _intercept
    intercept_stream_unary = _intercept
    intercept_stream_stream = _intercept


def client_of(server, name=None, authorization=None):
    """A client with the token of that name, or with other credentials; without both, with none."""
    client = CacheClient(server.grpc_address)
    if name is not None:
        authorization = f"Bearer {token(name)}"
    if authorization is None:
        return client
    plain = client.channel
    client.channel = grpc.intercept_channel(plain, _Bearer(authorization))
    client.close = plain.close
    client.cache = type(client.cache)(client.channel)
    client.admin = type(client.admin)(client.channel)
    return client
