"""Certificate, authorities, keys of an issuer and policy change all at once, about each second, while clients call over
connections that stay and over new ones: no call fails that is allowed before and after, and none is served that never is."""

import threading

import grpc
from cache_client import CALL_S, CacheClient, failure_of
from certificates import Authority
from eventually import eventually
from exposition import scrape
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from issuer import AUDIENCE, ISSUER, Key, key_set
from policy import SCRAPER, SCRAPES, policy, replace, token
from server_process import ServerProcess
from test_tls_renewal import Volume, named

ROUNDS = 5


def policy_of(turn):
    """Of which all but the role `own` changes."""
    roles = {
        **SCRAPES,
        "own": {"key_prefixes": ["own:"], "verbs": ["read", "write"]},
        f"other{turn}": {"key_prefixes": [f"other{turn}:"], "verbs": ["read"]},
    }
    issuers = f'issuers:\n- {{name: j, issuer: "{ISSUER}", audience: {AUDIENCE}, jwks_file: jwks.json}}\n'
    return policy(roles, {**SCRAPER, "dns:shop": ["own", f"other{turn}"], "j:web": ["own"]}) + issuers


class Caller(threading.Thread):
    """Calls by a certificate, or by a token; over one connection, or a new one each time."""

    def __init__(self, server, authority, own, bearer, is_new_each_time):
        super().__init__()
        self._address = server.grpc_address
        shown = (own.key.read_bytes(), own.certificate.read_bytes()) if own else (None, None)
        self._credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), *shown)
        self._metadata = (("authorization", f"Bearer {bearer}"),) if bearer else ()
        self._is_new_each_time = is_new_each_time
        self._end = threading.Event()
        self.calls, self.faults = 0, []

    def _client(self):
        options = [("grpc.ssl_target_name_override", "localhost")]
        return CacheClient(self._address, options, self._credentials)

    def run(self):
        client = self._client()
        while not self._end.is_set():
            self._call(client)
            if self._is_new_each_time:
                client.close()
                client = self._client()
        client.close()

    def _call(self, client):
        self.calls += 1
        value = str(self.calls).encode()
        key = b"own:%d" % id(self)
        try:
            client.Set(SetRequest(key=key, value=value), timeout=CALL_S, metadata=self._metadata)
            reply = client.Get(GetRequest(key=key), timeout=CALL_S, metadata=self._metadata)
            if reply.value != value:
                self.faults.append(f"{reply.value} in place of {value}")
        except grpc.RpcError as error:
            self.faults.append(f"a call that is allowed failed: {error}")
        try:
            client.Get(GetRequest(key=b"secret"), timeout=CALL_S, metadata=self._metadata)
            self.faults.append("a call was served that is never allowed")
        except grpc.RpcError as error:
            if failure_of(error).reason != "NOT_ALLOWED":
                self.faults.append(f"not denied, but {error}")

    def stop(self):
        self._end.set()
        self.join()


def test_everything_changes_under_load(tmp_path):
    authority = Authority(tmp_path / "authority")
    (tmp_path / "tls").mkdir()
    volume = Volume(tmp_path / "tls")
    stays = Key("ES256", "stays")
    file, jwks = tmp_path / "policy.yaml", tmp_path / "jwks.json"
    volume.put(named(authority, "first"), authority.certificate)
    file.write_text(policy_of(0), encoding="utf-8")
    jwks.write_text(key_set(stays), encoding="utf-8")
    with ServerProcess(*volume.flags, "--tls-client-auth=optional", f"--policy={file}") as server:
        shop, web = authority.issue("DNS:shop"), stays.token("web")
        callers = [Caller(server, authority, own, bearer, is_new) for own, bearer in ((shop, None), (None, web)) for is_new in (False, True)]
        for caller in callers:
            caller.start()

        def total(name, **labels):
            return scrape(server, token("scraper")).total(name, **labels)

        for turn in range(1, ROUNDS + 1):
            loads = total("ferrite_policy_loads_total", outcome="in_force")
            volume.put(named(authority, f"turn{turn}"), authority.certificate)
            replace(jwks, key_set(stays, Key("EdDSA", f"new {turn}")))
            replace(file, policy_of(turn))
            eventually(lambda: total("ferrite_tls_certificate_renewed_total"), lambda seen, turn=turn: seen >= turn,
                       "the certificate is not taken")
            eventually(lambda: total("ferrite_policy_loads_total", outcome="in_force"), lambda seen, loads=loads: seen > loads,
                       "the policy is not read")
        for caller in callers:
            caller.stop()
        for caller in callers:
            assert not caller.faults, caller.faults[:3]
            assert caller.calls > ROUNDS
        assert total("ferrite_policy_loads_total", outcome="refused") == 0
        assert not sum(scrape(server, token("scraper")).of("ferrite_tls_certificate_refused_total").values())
