"""The image ferrite, built from the Dockerfile by a real engine with the programs under test, and the engine that runs it."""

import os
import pathlib
import shutil
import subprocess

import debian
import pytest
from engine import Engine, NoEngine

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / ".cache" / "docker"
PROGRAMS = [pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name(name) for name in ("ferrite-server", "ferrite")]
BASE = "debian:bookworm-slim"


def bring_image(engine, name, folder):
    """Makes an image of nothing but the files in a folder."""
    with subprocess.Popen(["tar", "-C", folder, "--numeric-owner", "-c", "."], stdout=subprocess.PIPE) as tar:
        engine.docker("import", "-", name, stdin=tar.stdout)
    assert tar.returncode == 0


def build_image(engine, tmp):
    """The Dockerfile as it is, except that the programs come from the build under test. FERRITE_IMAGE_FROM_SOURCE=1 has it
    compile them, too."""
    arguments = []
    if not os.environ.get("FERRITE_IMAGE_FROM_SOURCE"):
        folder = tmp / "src" / "build" / "release" / "bin"
        folder.mkdir(parents=True)
        for program in PROGRAMS:
            subprocess.run(["strip", "-o", folder / program.name, program], check=True)
        bring_image(engine, "ferrite-programs", tmp)
        arguments = ["--build-arg", "PROGRAMS=ferrite-programs"]
    engine.docker("build", "--network", "host", "--tag", "ferrite", "--build-arg", "REVISION=under-test", *arguments, ROOT)


def build_stand_ins(engine, tmp):
    """The images that compose.yaml names and that cannot be pulled here. Prometheus is Debian's, with the command of the
    original image; Grafana's place is taken by a shell, in which the tests look at what it would find."""
    shutil.copy(shutil.which("prometheus"), tmp)
    (tmp / "Dockerfile").write_text(
        f"FROM {BASE} AS grafana\nSTOPSIGNAL SIGKILL\nENTRYPOINT [\"sleep\", \"infinity\"]\n"
        f"FROM {BASE} AS prometheus\nCOPY prometheus /bin/\nWORKDIR /prometheus\nUSER 65534\n"
        'ENTRYPOINT ["/bin/prometheus"]\nCMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/tmp"]\n',
        encoding="utf-8")
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    for line in compose.splitlines():
        if line.strip().startswith("image: ") and "/" in line:
            name = line.split("image: ")[1]
            engine.docker("build", "--target", name.split("/")[-1].split(":")[0], "--tag", name, tmp)


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """An engine with the images and a network of its own. Where none can run, the tests are skipped."""
    DATA.mkdir(parents=True, exist_ok=True)
    try:
        with Engine(DATA, isolated=False) as builder:
            if not builder.has_image(BASE):
                bring_image(builder, BASE, debian.minimal())
            build_image(builder, tmp_path_factory.mktemp("image"))
            build_stand_ins(builder, tmp_path_factory.mktemp("stand-ins"))
        runner = Engine(DATA, isolated=True)
    except NoEngine as reason:
        pytest.skip(f"no Docker engine can run here: {reason}")
    with runner:
        yield runner
