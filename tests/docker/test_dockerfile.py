"""The Dockerfile installs what the programs are linked with, and copies what they are built from: no more and no less."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).parent
BUILD = BIN.parent
TARGETS = ("ferrite-server", "ferrite")
STAGES = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
# What every Debian image has, as apt itself needs it.
IN_EVERY_IMAGE = {"libc6", "libgcc-s1", "libstdc++6"}


def output(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=True, **options).stdout


def linked_libraries(program):
    """The files of the libraries that a program names itself, not those that they need in turn."""
    names = re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "--dynamic", program))
    found = dict(re.findall(r"^\s*(\S+) => (/\S+)", output("ldd", program), re.MULTILINE))
    return [found[name] for name in names if name in found]  # not the loader, which has no =>


def packages_of(libraries):
    """The packages of libraries; a file's package may know it by either side of a link, such as /lib to /usr/lib."""
    spellings = {library: {library, os.path.realpath(library), f"/usr{library}"} for library in libraries}
    done = subprocess.run(["dpkg", "--search", *set().union(*spellings.values())], capture_output=True, text=True, check=False)
    owner = {file: package.split(":")[0] for package, file in re.findall(r"^(\S+): (\S+)$", done.stdout, re.MULTILINE)}
    for library, names in spellings.items():
        assert names & owner.keys(), f"no package has {library}, with which the programs are linked"
        yield next(owner[name] for name in names if name in owner)


def installed_by(stage):
    words = re.search(r"apt-get install -y --no-install-recommends((?: |\\\n|[a-z0-9.+-])+)", stage)[1]
    return {word for word in words.replace("\\\n", " ").split() if not word.startswith("-")}


def copied_by(stage):
    """The files and folders that a stage copies from the build context."""
    for line in re.findall(r"^COPY (?!--from)(.+)$", stage, re.MULTILINE):
        for source in line.split()[:-1]:
            yield source.rstrip("/")


def sources_of_the_programs():
    """Every file of the tree that the last build of the programs read, by what the compiler told ninja."""
    inputs = set(output("ninja", "-C", BUILD, "-t", "inputs", *TARGETS).splitlines())
    read = {BUILD / line for line in inputs}
    for block in output("ninja", "-C", BUILD, "-t", "deps").strip().split("\n\n"):
        target, *dependencies = block.strip().splitlines()
        if target.split(": #deps")[0] in inputs:
            read |= {BUILD / line.strip() for line in dependencies}
    normal = {pathlib.Path(os.path.normpath(path)) for path in read}
    return {path.relative_to(ROOT) for path in normal if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build")}


def test_the_image_has_the_libraries_that_the_programs_are_linked_with():
    libraries = {library for target in TARGETS for library in linked_libraries(BIN / target)}
    needed = set(packages_of(libraries)) - IN_EVERY_IMAGE
    installed = installed_by(STAGES[-1])
    assert needed, "the programs are linked with nothing?"
    assert installed == needed, f"missing: {sorted(needed - installed)}, needless: {sorted(installed - needed)}"


def test_the_build_stage_copies_what_the_programs_are_built_from():
    copied = [pathlib.Path(source) for source in copied_by(STAGES[1])]
    sources = sources_of_the_programs()
    assert len(sources) > 100, sources
    missing = [source for source in sources if not any(source.is_relative_to(one) for one in copied)]
    assert not missing, f"the image cannot be built without {sorted(map(str, missing))}"
    packages_and_cmake = {"dev.d/packages", "CMakeLists.txt", "CMakePresets.json"}
    needless = [str(one) for one in copied if not any(source.is_relative_to(one) for source in sources)]
    assert set(needless) <= packages_and_cmake, f"nothing is built from {needless}"


def test_the_build_context_has_what_is_copied():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in ignored
    kept = {line[1:] for line in ignored if line.startswith("!")}
    copied = {source.split("/")[0] for source in copied_by(STAGES[1])}
    assert kept == copied, "the first names one, .dockerignore keeps the other"


def test_cmake_is_satisfied_with_what_is_copied(tmp_path):
    for source in copied_by(STAGES[1]):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, tmp_path / source)
    configure, build = re.search(r"RUN (cmake .*?) \\\n && (cmake .*?) \\\n", STAGES[1]).groups()
    output(*shlex.split(configure), cwd=tmp_path)
    planned = output(*shlex.split(build), "--", "-n", cwd=tmp_path)
    assert all(f"bin/{target}" in planned for target in TARGETS), planned
