"""Certificates that are renewed while the server runs: no call is lost, and nothing bad is served."""

import os
import shutil
import threading

import grpc
import pytest
from cache_client import CALL_S
from certificates import Authority
from eventually import eventually
from exposition import scrape
from ferrite.v1 import cache_pb2, cache_pb2_grpc
from server_process import ServerProcess
from test_tls import context_for, garbage, handshake, is_served, tls_channel


@pytest.fixture(name="authority", scope="module")
def made_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


class Volume:
    """Where the server finds its files: links to links, as Kubernetes mounts a secret."""

    def __init__(self, folder):
        self.folder = folder
        self._versions = 0

    @property
    def flags(self):
        return [f"--tls-cert={self.folder}/tls.crt", f"--tls-key={self.folder}/tls.key", f"--tls-client-ca={self.folder}/ca.crt"]

    def put(self, pair, client_ca):
        """Swaps all files at once."""
        self._versions += 1
        version = self.folder / f"..version{self._versions}"
        version.mkdir()
        shutil.copy(pair.certificate, version / "tls.crt")
        shutil.copy(pair.key, version / "tls.key")
        shutil.copy(client_ca, version / "ca.crt")
        new = self.folder / "..new"
        new.symlink_to(version.name)
        os.replace(new, self.folder / "..data")
        for name in ("tls.crt", "tls.key", "ca.crt"):
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")



def metric(server, name):
    return scrape(server).total(f"ferrite_tls_certificate_{name}")


def await_renewal(server, number):
    eventually(lambda: metric(server, "renewed_total"), lambda seen: seen >= number, f"renewal {number} is not taken")


def refusals(server):
    seen = scrape(server).of("ferrite_tls_certificate_refused_total")
    return {dict(labels)["reason"]: int(count) for labels, count in seen.items() if count}


def served_name(server, authority, own):
    context = context_for(authority)
    context.load_cert_chain(own.certificate, own.key)
    return {value for kind, value in handshake(server, context)[1]["subjectAltName"] if kind == "DNS"} - {"localhost"}


def named(authority, name, **details):
    return authority.issue(f"DNS:localhost,DNS:{name}", **details)


def test_a_volume_is_swapped(authority, tmp_path):
    volume, own = Volume(tmp_path), authority.issue()
    volume.put(named(authority, "first", until_days=10), authority.certificate)
    with ServerProcess(*volume.flags) as server:
        assert served_name(server, authority, own) == {"first"}
        assert 9.9 < metric(server, "expires_in_seconds") / 86400 < 10.1
        assert 10.9 < metric(server, "lifetime_seconds") / 86400 < 11.1
        volume.put(named(authority, "second", until_days=20), authority.certificate)
        await_renewal(server, 1)
        assert served_name(server, authority, own) == {"second"}
        assert 19.9 < metric(server, "expires_in_seconds") / 86400 < 20.1
        assert metric(server, "is_current") == 1 and not refusals(server)


def test_files_are_written_one_after_the_other(authority, tmp_path):
    certificate, key, own = tmp_path / "crt", tmp_path / "key", authority.issue()
    first, second = named(authority, "first"), named(authority, "second")
    shutil.copy(first.certificate, certificate)
    shutil.copy(first.key, key)
    with ServerProcess(f"--tls-cert={certificate}", f"--tls-key={key}") as server:
        shutil.copy(second.key, key)
        eventually(lambda: refusals(server), lambda seen: seen == {"mismatch": 1}, "a key of another certificate is not noticed")
        assert served_name(server, authority, own) == {"first"}
        shutil.copy(second.certificate, certificate)
        await_renewal(server, 1)
        assert served_name(server, authority, own) == {"second"}


def test_another_authority_of_clients_takes_effect(authority, tmp_path):
    volume, stranger = Volume(tmp_path), Authority(tmp_path / "stranger")
    pair = authority.issue()
    volume.put(pair, authority.certificate)
    with ServerProcess(*volume.flags) as server:
        assert not is_served(server, authority, stranger.issue())
        volume.put(pair, stranger.certificate)
        await_renewal(server, 1)
        assert is_served(server, authority, stranger.issue())
        assert not is_served(server, authority, authority.issue())


def test_what_is_bad_is_refused_and_the_old_one_stays(authority, tmp_path):
    volume, own = Volume(tmp_path), authority.issue()
    volume.put(named(authority, "first"), authority.certificate)
    bad = {
        "expired": authority.issue(from_days=-2, until_days=-1),
        "not_yet_valid": authority.issue(from_days=1),
        "mismatch": authority.issue()._replace(key=authority.issue().key),
        "malformed": authority.issue()._replace(certificate=garbage(tmp_path)),
        "purpose": authority.issue(usage="clientAuth"),
    }
    with ServerProcess(*volume.flags) as server:
        for count, (reason, pair) in enumerate(bad.items(), 1):
            volume.put(pair, authority.certificate)
            eventually(lambda: refusals(server), lambda seen, reason=reason: seen.get(reason) == 1, f"{reason} is not refused")
            assert sum(refusals(server).values()) == count
            assert metric(server, "is_current") == 0
            assert served_name(server, authority, own) == {"first"}
        volume.put(authority.issue(), garbage(tmp_path))
        eventually(lambda: refusals(server), lambda seen: seen.get("client_ca") == 1, "a bad authority is not refused")
        (tmp_path / "..data").unlink()
        eventually(lambda: refusals(server), lambda seen: seen.get("unreadable") == 1, "files that are gone are not noticed")
        assert "a new certificate is refused: --tls-cert: " in server.log() and "expired at" in server.log()
        volume.put(named(authority, "second"), authority.certificate)
        await_renewal(server, 1)
        assert metric(server, "is_current") == 1
        assert served_name(server, authority, own) == {"second"}


class Load:
    """Calls over a connection that stays, and over one that is new each time; `failed` holds what went wrong."""

    def __init__(self, server, authority, own):
        self.calls = [0, 0]
        self.failed = []
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(kind, server, authority, own)) for kind in (0, 1)
        ]
        for thread in self._threads:
            thread.start()

    def _call(self, is_new_each_time, server, authority, own):
        channel = tls_channel(server, authority, own)
        while not self._end.is_set():
            try:
                cache_pb2_grpc.CacheServiceStub(channel).Get(cache_pb2.GetRequest(key=b"k"), timeout=CALL_S)
            except grpc.RpcError as error:
                self.failed.append(error)
            self.calls[is_new_each_time] += 1
            if is_new_each_time:
                channel.close()
                channel = tls_channel(server, authority, own)
        channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._end.set()
        for thread in self._threads:
            thread.join()


def test_renewal_loses_no_call(authority, tmp_path):
    volume, own = Volume(tmp_path), authority.issue()
    volume.put(authority.issue(), authority.certificate)
    with ServerProcess(*volume.flags) as server:
        with Load(server, authority, own) as load:
            for number in range(1, 7):
                # A bad one in between changes nothing.
                volume.put(authority.issue(from_days=-2, until_days=-1), authority.certificate)
                volume.put(authority.issue(), authority.certificate)
                await_renewal(server, number)
        assert not load.failed and min(load.calls) > 10
