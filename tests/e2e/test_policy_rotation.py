"""A policy and the keys of an issuer that change all the time, while calls go on: none fails that is allowed before and
after, and none is served that is allowed at no time."""

import threading

import grpc
from cache_client import CALL_S, failure_of
from eventually import eventually
from exposition import scrape
from ferrite.v1.cache_pb2 import GetRequest, MGetRequest, Operation, PipelineRequest, SetRequest
from issuer import AUDIENCE, ISSUER, Key, key_set
from policy import SCRAPER, SCRAPES, client_of, policy, replace, token
from server_process import ServerProcess

CHANGES = 40


def policy_of(turn):
    """Of which all but the role `own` changes."""
    roles = {
        **SCRAPES,
        "own": {"key_prefixes": ["own:"], "verbs": ["read", "write"]},
        f"other{turn}": {"key_prefixes": [f"other{turn}:"], "verbs": ["read", "write", "delete"]},
    }
    issuers = f'issuers:\n- {{name: j, issuer: "{ISSUER}", audience: {AUDIENCE}, jwks_file: jwks.json}}\n'
    return policy(roles, {**SCRAPER, "token:shop": ["own", f"other{turn}"], "j:web": ["own"]}) + issuers


class Caller(threading.Thread):
    """Calls until it is told to stop."""

    def __init__(self, client, stop):
        super().__init__()
        self.client, self.stop = client, stop
        self.calls, self.faults = 0, []

    def run(self):
        frames = iter(self.frames())
        replies = self.client.cache.Pipeline(frames, timeout=CALL_S)
        while not self.stop.is_set():
            self.calls += 1
            try:
                self.client.Get(GetRequest(key=b"own:k"))
                results = next(replies).results
                if [r.WhichOneof("outcome") for r in results] != ["get", "error", "set"]:
                    self.faults.append(f"a frame was answered with {results}")
                reply = self.client.MGet(MGetRequest(keys=[b"own:k", b"secret"]))
                if [error.index for error in reply.errors] != [1]:
                    self.faults.append(f"a batch was answered with {reply}")
            except grpc.RpcError as error:
                self.faults.append(f"a call that is allowed failed: {error}")
            try:
                self.client.Get(GetRequest(key=b"secret"))
                self.faults.append("a call was served that is not allowed")
            except grpc.RpcError as error:
                if failure_of(error).reason != "NOT_ALLOWED":
                    self.faults.append(f"not denied, but {error}")

    def frames(self):
        while not self.stop.is_set():
            yield PipelineRequest(
                operations=[
                    Operation(get=GetRequest(key=b"own:k")),
                    Operation(get=GetRequest(key=b"secret")),
                    Operation(set=SetRequest(key=b"own:w", value=b"v")),
                ]
            )


def test_rotation_under_load(tmp_path):
    file, jwks = tmp_path / "policy.yaml", tmp_path / "jwks.json"
    stays = Key("ES256", "stays")
    file.write_text(policy_of(0), encoding="utf-8")
    jwks.write_text(key_set(stays), encoding="utf-8")
    with ServerProcess(f"--policy={file}", "--threads=2") as server:
        bearer = f"Bearer {stays.token('web')}"
        stop = threading.Event()
        with client_of(server, "shop") as shop, client_of(server, authorization=bearer) as web:
            callers = [Caller(shop, stop), Caller(web, stop), Caller(shop, stop)]
            for caller in callers:
                caller.start()

            def loads():
                return scrape(server, token("scraper")).total("ferrite_policy_loads_total", outcome="in_force")

            for turn in range(1, CHANGES + 1):
                before = loads()
                if turn % 2:
                    replace(file, policy_of(turn))
                else:
                    replace(jwks, key_set(stays, Key("EdDSA", f"new {turn}")))
                eventually(loads, lambda now, before=before: now > before, "it was not read")
            stop.set()
            for caller in callers:
                caller.join()
        for caller in callers:
            assert not caller.faults, caller.faults[:3]
            assert caller.calls > CHANGES
        assert scrape(server, token("scraper")).total("ferrite_policy_loads_total", outcome="refused") == 0
