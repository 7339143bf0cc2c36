"""A server that other machines can reach needs TLS and a policy, or to be told that it does not."""

import pytest
from cache_client import CacheClient
from exposition import scrape
from ferrite.v1.admin_pb2 import InfoRequest, SetConfigRequest
from server_process import ServerProcess, refusal_of


@pytest.mark.parametrize(
    "flags",
    [
        ("--listen=0.0.0.0:0", "--http-listen="),
        ("--listen=[::]:0", "--http-listen="),
        ("--listen=127.0.0.1:0", "--http-listen=*:0"),
    ],
)
def test_it_does_not_start_and_names_the_ways_out(flags):
    code, out, err = refusal_of(*flags)
    assert (code, out) == (2, "")
    for part in ("--tls-cert", "--policy", "--insecure", "docs/security.md", "127.0.0.1"):
        assert part in err, err


def test_the_environment_is_refused_and_allowed_alike():
    code, _, err = refusal_of("--http-listen=", env={"FERRITE_LISTEN": "*:0"})
    assert code == 2 and "FERRITE_LISTEN=*:0" in err, err
    with ServerProcess(listen="", http_listen="127.0.0.1:0", env={"FERRITE_LISTEN": "*:0", "FERRITE_INSECURE": "yes"}):
        pass


def test_who_insists_is_warned_in_the_log_by_info_and_by_a_metric():
    with ServerProcess("--insecure", listen="*:0") as server:
        port = server.grpc_address.rpartition(":")[2]
        with CacheClient(f"127.0.0.1:{port}") as client:
            warned = [w for w in client.Info(InfoRequest()).warnings if w.startswith("insecure: ")]
            assert len(warned) == 1 and "--listen=*:0" in warned[0], warned
            assert warned[0] in server.log()
            client.SetConfig(SetConfigRequest(name="log-level", value="debug"))
            assert warned[0] in client.Info(InfoRequest()).warnings, "it is so still"
        assert scrape(server).total("ferrite_insecure") == 1


def test_a_server_of_this_machine_is_not():
    with ServerProcess() as server:
        assert "insecure: " not in server.log()
        assert scrape(server).total("ferrite_insecure") == 0
