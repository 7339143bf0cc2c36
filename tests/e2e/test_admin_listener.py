"""Administrators with a listener of their own: nobody administers the server through another."""

import re
import subprocess
import tempfile
import os

import grpc
import pytest
from cache_client import CacheClient, failure_from
from certificates import Authority
from exposition import scrape
from ferrite.v1 import admin_pb2, cluster_pb2, cluster_pb2_grpc
from ferrite.v1.admin_pb2 import FlushRequest, InfoRequest, StatsRequest, WhoAmIRequest
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from server_process import ServerProcess, refusal_of
from test_tls import tls_flags

DENIED = (grpc.StatusCode.PERMISSION_DENIED, "ADMIN_ELSEWHERE")


def admin_address(server):
    return re.search(r"administrators call it at (\S+)", server.log())[1]


@pytest.fixture(name="server", scope="module")
def made_server():
    with ServerProcess("--admin-listen=127.0.0.1:0") as process:
        yield process


def test_it_administers_and_others_do_not(server):
    with CacheClient(server.grpc_address) as client, CacheClient(admin_address(server)) as admin:
        client.Set(SetRequest(key=b"k", value=b"v"))
        for call, request in ((client.Info, InfoRequest()), (client.Stats, StatsRequest()), (client.Flush, FlushRequest())):
            failure = failure_from(call, request)
            assert (failure.code, failure.reason) == DENIED and "--admin-listen" in failure.message, failure
        with pytest.raises(grpc.RpcError) as error:
            list(client.FlushWithProgress(admin_pb2.FlushWithProgressRequest()))
        assert error.value.code() == DENIED[0]
        assert client.Get(GetRequest(key=b"k")).found, "nothing was flushed"
        client.WhoAmI(WhoAmIRequest())
        assert admin.Info(InfoRequest()).version
        assert admin.Get(GetRequest(key=b"k")).found
        for _ in range(3):  # more than one call of one connection
            admin.Flush(FlushRequest())
        assert not client.Get(GetRequest(key=b"k")).found
    assert scrape(server).total("ferrite_refused_total", reason="admin_elsewhere") == 4


def test_what_changes_a_cluster_is_refused_too(server):
    with CacheClient(server.grpc_address) as client, CacheClient(admin_address(server)) as admin:
        def drain(at):
            stub = cluster_pb2_grpc.ClusterServiceStub(at.channel)
            return failure_from(lambda request: stub.Drain(request, timeout=60), cluster_pb2.DrainRequest(node_id="n"))
        assert drain(client).reason == "ADMIN_ELSEWHERE"
        assert drain(admin).reason == "NO_CLUSTER"


def test_over_tls_and_on_a_unix_domain_socket(tmp_path):
    authority = Authority(tmp_path / "authority")
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    with tempfile.TemporaryDirectory(prefix="f") as folder:
        with ServerProcess(*tls_flags(authority.issue()), f"--admin-listen=127.0.0.1:0,unix:{folder}/a") as server:
            over_tls, path = admin_address(server).split(",")
            with CacheClient(server.grpc_address, credentials=credentials) as client:
                failure = failure_from(client.Info, InfoRequest())
                assert (failure.code, failure.reason) == DENIED
            with CacheClient(over_tls, credentials=credentials) as admin:
                assert admin.Info(InfoRequest()).version
            with CacheClient(path) as admin:
                assert admin.Info(InfoRequest()).version


def test_metadata_makes_nobody_an_administrator(server):
    with CacheClient(server.grpc_address) as client:
        for name in ("ferrite_admin", "ferrite-admin"):
            failure = failure_from(client.Info, InfoRequest(), metadata=((name, "yes"),))
            assert failure.reason == "ADMIN_ELSEWHERE"


def test_the_command(server):
    def info(address):
        return subprocess.run([os.environ["FERRITE_CLI_BINARY"], "--server", address, "info"], capture_output=True, text=True, check=False)
    assert info(admin_address(server)).returncode == 0
    refused = info(server.grpc_address)
    assert refused.returncode == 2 and "--admin-listen" in refused.stderr


def test_an_address_of_another_is_refused_and_so_is_one_that_others_reach():
    code, _, err = refusal_of("--listen=127.0.0.1:7000", "--admin-listen=127.0.0.1:7000")
    assert code == 2 and "--admin-listen: 127.0.0.1:7000 is taken by --listen" in err, err
    code, _, err = refusal_of("--listen=127.0.0.1:0", "--http-listen=", "--admin-listen=*:0")
    assert code == 2 and "--admin-listen=*:0: other machines" in err, err
