#!/usr/bin/env python3
"""The repository's rules as a test: which folder may include which, names, sizes, and what does not belong in a file.

Every ban names its replacement. Standard library only: tests/repo/test_tree.py runs anywhere.
"""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the C++ files of a folder may include, by the first part of the path. Besides, every file may include the
# standard library and the system's own headers.
MAY_INCLUDE = {
    "base": {"base", "absl"},
    "proto": {"base", "proto", "ferrite", "google", "absl"},
    "store": {"base", "store", "absl", "oneapi", "tbb"},
    "server": {"base", "server", "store", "proto", "ferrite", "etcd", "google", "grpc", "grpcpp", "absl", "nlohmann", "oneapi", "prometheus",
               "spdlog", "microhttpd.h", "nghttp2", "openssl", "yaml.h", "zlib.h"},
    "client": {"base", "client", "proto", "ferrite", "google", "grpc", "grpcpp", "absl", "CLI", "histedit.h", "nlohmann", "openssl"},
    "tests": None,  # anything; but no other folder includes them
    "bench": None,
}
WHY = {
    "base": "base/ is what every side needs, and knows none of them",
    "proto": "proto/ is the contract and its bytes, which need only base/, protobuf and Abseil",
    "store": "store/ knows no wire format and no metrics; give the server a callback or a plain struct instead",
    "server": "server/ and client/ share only base/ and proto/; move what both need there if it is part of the contract",
    "client": "server/ and client/ share only base/ and proto/; what a client must know comes over the wire",
}
# The strata of store/, bottom first: a file includes its own and those before it. Top-level files not named here are the API.
STRATA = ["memory", "vocabulary", "entries", "eviction", "shard", "calls", "API"]
VOCABULARY = {"store/value", "store/operation", "store/event", "store/store_options"}
WHY_STRATA = {
    "memory": "memory/ hands out bytes and does not know what lies in them; give it an offset or a size instead",
    "vocabulary": "what the API's calls take and give must not depend on how they are done",
    "entries": "an entry does not know its shard; pass in what it needs, as NodeMemory is",
    "eviction": "the policy chooses an entry and leaves locks and erasing to the shard",
    "shard": "a shard knows nothing of the others; what spans shards belongs in calls/",
    "calls": "calls/ is below the API; move what both need into the vocabulary",
}
# The folders of server/, lowest first, each with those that it includes; what these include is its to include as well.
# server/CMakeLists.txt has the same table, and does not configure with a cycle. The files at the top compose all of them.
SERVER_FOLDERS = {
    "call": [],
    "policy": [],
    "metrics": ["call"],
    "admission": ["call", "metrics"],
    "slowlog": ["call"],
    "engine": ["call", "metrics", "admission", "slowlog"],
    "steady": [],
    "events": ["engine"],
    "handlers": ["engine", "events", "cluster"],
    "namespaces": ["handlers", "policy"],
    "health": ["engine"],
    "reflection": ["engine"],
    "net": ["metrics"],
    "guard": ["metrics"],
    "tls": ["metrics", "guard", "net"],
    "dial": ["tls"],
    "engine/grpc": ["engine", "steady", "tls", "dial"],
    "settings": ["admission", "events", "net", "guard", "tls", "cluster"],
    "cluster": [],
    "cluster/core": ["cluster"],
    "cluster/etcd": ["cluster", "steady", "dial"],
    "cluster/hello": ["cluster", "steady", "dial"],
    "cluster/driver": ["cluster/core", "cluster/etcd", "cluster/hello"],
    "routing": ["engine", "handlers", "slowlog", "cluster"],
    "auth": ["call", "policy", "metrics"],
    "audit": ["metrics"],
    "access": ["audit", "auth", "engine", "events", "handlers", "routing", "slowlog"],
}
SYSTEM = {"sys", "netinet", "arpa", "linux", "dlfcn.h", "netdb.h", "poll.h", "unistd.h", "fcntl.h", "fnmatch.h", "sched.h", "signal.h", "termios.h", "malloc.h", "emmintrin.h"}

# (what is banned, in which files, what to write instead)
CPP = r"\.(cc|h)$"
ANY = r"."
BANS = [
    (r"^#ifndef \w+_H_?$", r"\.h$", "#pragma once"),
    (r"^[ \t]*using namespace (?!std::\w*literals)", CPP, "the name of what you use"),
    (r"\bstd::(format|expected)\b", CPP, "absl::StrFormat or absl::StatusOr: GCC 12 does not have it"),
    (r'#include "absl/log/', CPP, "spdlog: Debian's Abseil has no log"),
    (r'#include [<"]grpc', r"^client/pipeline/(call_queue|call_verdict|deadlines|pending_call|wait_forecast)\.",
     "an argument that PipelineStream hands in: these parts know no gRPC"),
    (r'#include [<"]grpc(pp)?/(?!(health|reflection)/v1/\w+\.pb\.h)|\bgrpc::(?!(health|reflection)::v1)', r"^server/(?!engine/grpc/|steady/|dial/|cluster/(?:etcd|hello)/).*\.(cc|h)$",
     "what server/call and server/engine offer: only server/engine/grpc names gRPC, so that another front can take its place; and "
     "server/cluster/etcd and hello, which call others"),
    (r'#include "etcd/', r"^server/(?!cluster/).*\.(cc|h)$", "the view of server/cluster: only that folder knows of etcd"),
    (r'#include "[^"]*\.\.', CPP, "the path from the root of the repository"),
    (r"\b(class|struct|enum class) \w*(Manager|Helper|Utils?|Impl)\b", CPP, "a noun that says what it is"),
    (r"\b(sleep_for|sleep_until|SleepFor|usleep|nanosleep|time\.sleep)\(", r"^tests/(?!e2e/(eventually|server_process)\.py$)",
     "an event to wait for; eventually() of tests/e2e where another process gives none"),
    (r"\bassert\(", CPP, "FERRITE_CHECK (base/check.h), which stays on in Release"),
    (r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", ANY, "the code, or an issue"),
    (r"/(?:hom[e]|wor[k]|roo[t]|Users)/\w", ANY, "a path from the root of the repository"),
    (r'"resolved":|registry[.]npmjs|pypi[.]org|pythonhosted|proxy[.]golang|crates[.]io/api', ANY,
     "nothing: the client of the package registry knows its address (npm: .npmrc omits it from lock files)"),
    (r"\r", ANY, "a plain line feed"),
    (r"[ \t]+$", r"(?<!\.md)$", "a line without blanks at its end"),
]

SNAKE_CASE = re.compile(r"^[a-z0-9_]+$")
# Names that tools require.
FIXED_NAMES = {"CMakeLists.txt", "CMakePresets.json", "Dockerfile", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md",
               "LICENSE", "Chart.yaml", "NOTES.txt", "Cargo.toml", "Cargo.lock", "package-lock.json"}
# Words that say nothing about the content of a file.
EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|manager|common|misc|impl)($|_)")
WRITTEN_BY_TOOLS = re.compile(r"(^|/)(Cargo\.lock|package-lock\.json|go\.sum)$|^bench/results/|^tests/helm/golden/")
MAX_LINES = 600
# The contract is one file, so that users generate stubs from one file; most of it is documentation.
MAX_CONTRACT_LINES = 850
MAX_PICTURE_KB = 150
MAX_PROSE_COLUMNS = 132


def tracked():
    """The paths of all files that git tracks or would track."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          cwd=ROOT, capture_output=True, check=True)
    names = sorted(set(done.stdout.decode().split("\0")) - {""})
    return [name for name in names if (ROOT / name).is_file()]


def is_picture(name):
    return name.endswith(".png")


def is_corpus(name):
    """What fuzz targets begin with may be any bytes."""
    return re.match(r"tests/fuzz/\w*corpus/", name) is not None


def files():
    """The paths of all tracked files that are text, which are all but pictures and corpora."""
    return [name for name in tracked() if not is_picture(name) and not is_corpus(name)]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def complaints_about_includes(name, source):
    folder = name.split("/")[0]
    if folder not in MAY_INCLUDE:
        return
    for number, line in enumerate(source.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        style, path = match.groups()
        first = path.split("/")[0]
        ours = first in MAY_INCLUDE
        standard = style == "<" and ("." not in path and "/" not in path or first in SYSTEM)
        if ours and style == "<":
            yield f'{name}:{number}: write "{path}" in quotes: it is ours'
        elif first in ("tests", "bench") and folder != first:
            yield f"{name}:{number}: includes {path}; nobody includes {first}/: move what you need out of it"
        elif not standard and MAY_INCLUDE[folder] is not None and first not in MAY_INCLUDE[folder]:
            yield f"{name}:{number}: includes {path}; {WHY[folder]}"


# The first parts of include paths, by the names of ARCHITECTURE.md. What server/ may include of these two is all of it.
SPELLED = {"Abseil": {"absl"}, "oneTBB": {"oneapi", "tbb"}, "protobuf": {"ferrite", "google"}, "gRPC": {"grpc", "grpcpp"}, "CLI11": {"CLI"},
           "libedit": {"histedit.h"}, "nlohmann-json": {"nlohmann"}, "prometheus-cpp": {"prometheus"}, "libmicrohttpd": {"microhttpd.h"},
           "nghttp2": {"nghttp2"}, "libyaml": {"yaml.h"}, "OpenSSL": {"openssl"}, "zlib": {"zlib.h"}}


def complaints_about_include_table(document):
    """The table of folders in ARCHITECTURE.md must say what MAY_INCLUDE does."""
    told = {}
    for match in re.finditer(r"^\| `(\w+)/` \|.*\| ([^|]*) \|$", document, re.MULTILINE):
        words = [word.strip("`/") for word in match[2].split(", ")]
        told[match[1]] = set().union({match[1]}, *(SPELLED.get(word, {word}) for word in words))
    for folder, allowed in MAY_INCLUDE.items():
        # oneTBB has two spellings, of which a folder may use one.
        difference = allowed is not None and (allowed ^ told.get(folder, set())) - {"tbb"}
        if difference:
            yield f"ARCHITECTURE.md: what {folder}/ may include differs from MAY_INCLUDE: {', '.join(sorted(difference))}"


def complaints_about_width(name, source):
    """Prose in Markdown is wrapped; tables and code are as wide as they must be."""
    if not name.endswith(".md") or WRITTEN_BY_TOOLS.search(name):
        return
    code = False
    for number, line in enumerate(source.splitlines(), 1):
        code ^= line.startswith("```")
        if len(line) > MAX_PROSE_COLUMNS and not code and not line.startswith("|"):
            yield f"{name}:{number}: has {len(line)} columns; wrap prose at {MAX_PROSE_COLUMNS}"


def server_folder_of(path):
    """The folder of server/ that a file lies in; None at the top."""
    folder = path.removeprefix("server/").rpartition("/")[0]
    return folder or None


def below(folder):
    """The folders of server/ that one may include, itself among them."""
    found = {folder}
    for direct in SERVER_FOLDERS[folder]:
        found |= below(direct)
    return found


def complaints_about_server_folders(name, source):
    if not name.startswith("server/") or server_folder_of(name) is None:
        return
    own = server_folder_of(name)
    if own not in SERVER_FOLDERS:
        yield f"{name}: server/{own} is no folder that is known; add it to server/CMakeLists.txt and to SERVER_FOLDERS"
        return
    for number, line in enumerate(source.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"(server/[^"]+)"', line)
        if match and server_folder_of(match[1]) not in below(own):
            yield (f"{name}:{number}: includes {match[1]}, which server/{own} does not depend on; pass in what it needs, "
                   "or move it to the folder that both may include")


def folders_in_cmake(source):
    """The table of folders as server/CMakeLists.txt has it."""
    table = {}
    for match in re.finditer(r"^server_folder\((\S+)\n(.*?)\)$", source, re.MULTILINE | re.DOTALL):
        depends = re.search(r"DEPENDS ([^\n)]+)", match[2])
        table[match[1]] = depends[1].split() if depends else []
    return table


def stratum_of(path):
    folder, *rest = path.removeprefix("store/").split("/")
    if rest:
        return folder
    return "vocabulary" if path.rsplit(".", 1)[0] in VOCABULARY else "API"


def complaints_about_strata(name, source):
    if not name.startswith("store/"):
        return
    own = stratum_of(name)
    if own not in STRATA:
        yield f"{name}: lies in no stratum; move it into one of store/{{{','.join(STRATA)}}}, or add {own} to STRATA"
        return
    for number, line in enumerate(source.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"(store/[^"]+)"', line)
        if match and STRATA.index(stratum_of(match[1])) > STRATA.index(own):
            yield f"{name}:{number}: includes {match[1]} of a higher stratum; {WHY_STRATA[own]}"


# What the rest of the repository may include of store/: the API. Its own tests and benchmarks look inside.
LOOKS_INSIDE_STORE = ("store/", "tests/store/", "tests/fuzz/", "bench/store/", "bench/eviction/")


def complaints_about_insides(name, source):
    if name.startswith(LOOKS_INSIDE_STORE):
        return
    for number, line in enumerate(source.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"(store/[^"/]+/[^"]+)"', line)
        if match:
            yield f"{name}:{number}: includes {match[1]}; include store/store.h or its neighbours, which are the store's API"


def complaints_about_lines(name, source):
    for pattern, where, instead in BANS:
        if re.search(where, name):
            for match in re.finditer(pattern, source, re.MULTILINE):
                number = source.count("\n", 0, match.start()) + 1
                yield f"{name}:{number}: {match[0]!r}; instead: {instead}"


def complaints_about_names(name):
    *folders, last = name.split("/")
    for folder in folders:
        if not SNAKE_CASE.match(folder.lstrip(".").removesuffix(".d")) and not folder.startswith("."):
            yield f"{name}: name the folder {folder!r} in snake_case"
    stem = last.lstrip(".").split(".")[0]
    if last.endswith(".java"):  # named after their classes
        stem = stem[0].lower() + re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", stem[1:])
    if last not in FIXED_NAMES and not SNAKE_CASE.match(stem) and not last.startswith("."):
        yield f"{name}: name the file in snake_case"
    if EMPTY_NAMES.search(stem):
        yield f"{name}: name the file after the one idea that it holds"


def complaints_about_shape(name, source):
    if WRITTEN_BY_TOOLS.search(name):
        return
    lines = source.count("\n")
    most = MAX_CONTRACT_LINES if name.startswith("proto/ferrite/") else MAX_LINES
    if lines > most:
        yield f"{name}: has {lines} lines; cut it into files of one idea each, at most {most} lines"
    if source and not source.endswith("\n"):
        yield f"{name}: ends without a line feed; add one"
    if name.endswith(".h") and not source.startswith("#pragma once\n"):
        yield f"{name}: starts otherwise; begin a header with #pragma once"


def complaints_about_picture_size(name, size_bytes):
    if size_bytes > MAX_PICTURE_KB * 1000:
        yield f"{name}: has {size_bytes / 1000:.0f} kB; a picture has at most {MAX_PICTURE_KB} kB: draw it smaller"


def complaints_about_links(name, source):
    """Relative links of a Markdown file must lead to a file."""
    if not name.endswith(".md"):
        return
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", source):
        if not re.match(r"[a-z]+:", target) and not (ROOT / name).parent.joinpath(target).exists():
            yield f"{name}: links to {target}, which is not there; mend the link"


class Tree(unittest.TestCase):
    maxDiff = None

    def expect_none(self, complaints):
        complaints = list(complaints)
        self.assertFalse(complaints, "\n" + "\n".join(complaints))

    def test_folders_include_only_what_they_may(self):
        self.expect_none(c for name in files() if re.search(CPP, name) for c in complaints_about_includes(name, text(name)))

    def test_folders_of_the_server_include_only_those_below(self):
        self.expect_none(c for name in files() if re.search(CPP, name) for c in complaints_about_server_folders(name, text(name)))
        self.assertEqual(folders_in_cmake(text("server/CMakeLists.txt")), SERVER_FOLDERS)

    def test_strata_of_the_store_include_only_those_below(self):
        self.expect_none(c for name in files() if re.search(CPP, name)
                         for complaints in (complaints_about_strata, complaints_about_insides) for c in complaints(name, text(name)))

    def test_no_line_is_banned(self):
        own = pathlib.Path(__file__).resolve().relative_to(ROOT).as_posix()
        self.expect_none(c for name in files() if name != own for c in complaints_about_lines(name, text(name)))

    def test_names(self):
        self.expect_none(c for name in tracked() for c in complaints_about_names(name))

    def test_shapes(self):
        self.expect_none(c for name in files() for c in complaints_about_shape(name, text(name)))

    def test_pictures(self):
        self.expect_none(c for name in tracked() if is_picture(name)
                         for c in complaints_about_picture_size(name, (ROOT / name).stat().st_size))

    def test_architecture_says_who_may_include_whom(self):
        self.expect_none(complaints_about_include_table(text("ARCHITECTURE.md")))

    def test_documents_fit_a_window(self):
        self.expect_none(c for name in files() for c in complaints_about_width(name, text(name)))

    def test_links(self):
        self.expect_none(c for name in files() for c in complaints_about_links(name, text(name)))


class Rules(unittest.TestCase):
    """Tests of the rules themselves: each finds what it should."""

    def expect_one(self, complaints, part):
        complaints = list(complaints)
        self.assertEqual(len(complaints), 1, complaints)
        self.assertIn(part, complaints[0])

    def test_include_edges(self):
        for name, include, part in [
            ("store/a.cc", '"server/b.h"', "store/ knows no wire format"),
            ("store/a.cc", "<grpcpp/grpcpp.h>", "store/ knows no wire format"),
            ("store/a.cc", '"ferrite/v1/cache.pb.h"', "store/ knows no wire format"),
            ("server/x/a.cc", '"client/client.h"', "share only base/ and proto/"),
            ("client/a.cc", '"store/store.h"', "share only base/ and proto/"),
            ("proto/slot.cc", '"store/store.h"', "only base/, protobuf and Abseil"),
            ("proto/wire/a.h", "<grpcpp/grpcpp.h>", "only base/, protobuf and Abseil"),
            ("server/a.cc", '"tests/store/fake_clock.h"', "nobody includes tests/"),
            ("tests/a.cc", '"bench/store/window.h"', "nobody includes bench/"),
            ("client/a.cc", "<client/client.h>", "in quotes"),
        ]:
            with self.subTest(name + include):
                self.expect_one(complaints_about_includes(name, f"#include {include}\n"), part)
        for name, include in [("store/a.cc", "<vector>"), ("store/a.cc", "<sys/mman.h>"), ("server/a.cc", '"store/store.h"'),
                              ("tests/a.cc", '"server/server.h"'), ("client/a.cc", "<grpcpp/grpcpp.h>")]:
            with self.subTest(name + include):
                self.assertEqual(list(complaints_about_includes(name, f"#include {include}\n")), [])

    def test_server_folders(self):
        for name, include, part in [
            ("server/engine/call.cc", "server/handlers/cache_handlers.h", "server/engine does not depend on"),
            ("server/metrics/a.h", "server/admission/gate.h", "server/metrics does not depend on"),
            ("server/net/a.h", "server/node.h", "server/net does not depend on"),
            ("server/misc/a.h", "server/node.h", "no folder that is known"),
        ]:
            with self.subTest(name + include):
                self.expect_one(complaints_about_server_folders(name, f'#include "{include}"\n'), part)
        for name, include in [("server/handlers/a.cc", "server/call/status.h"), ("server/node.cc", "server/net/listener.h"),
                              ("server/engine/grpc/a.cc", "server/engine/call.h")]:
            with self.subTest(name + include):
                self.assertEqual(list(complaints_about_server_folders(name, f'#include "{include}"\n')), [])
        for name, line in [("server/events/a.h", "#include <grpcpp/server.h>"), ("server/handlers/a.cc", "grpc::Status status;")]:
            with self.subTest(line):
                self.expect_one(complaints_about_lines(name, line + "\n"), "only server/engine/grpc names gRPC")

    def test_strata(self):
        for name, include, part in [
            ("store/memory/a.cc", "store/entries/entry.h", "does not know what lies in them"),
            ("store/memory/a.h", "store/value.h", "does not know what lies in them"),
            ("store/value.h", "store/entries/entry.h", "must not depend on how they are done"),
            ("store/entries/a.h", "store/shard/shard.h", "does not know its shard"),
            ("store/eviction/a.cc", "store/shard/shard.h", "leaves locks"),
            ("store/shard/a.cc", "store/calls/evictor.h", "knows nothing of the others"),
            ("store/calls/a.cc", "store/store.h", "below the API"),
        ]:
            with self.subTest(name + include):
                self.expect_one(complaints_about_strata(name, f'#include "{include}"\n'), part)
        self.expect_one(complaints_about_strata("store/misc/a.h", ""), "lies in no stratum")
        for name, include in [("store/shard/a.cc", "store/memory/page.h"), ("store/store.cc", "store/calls/entry_reader.h"),
                              ("store/entries/a.h", "store/operation.h"), ("store/memory/a.h", "store/memory/page.h")]:
            with self.subTest(name + include):
                self.assertEqual(list(complaints_about_strata(name, f'#include "{include}"\n')), [])
        self.expect_one(complaints_about_insides("server/a.cc", '#include "store/shard/shard.h"\n'), "the store's API")
        self.assertEqual(list(complaints_about_insides("server/a.cc", '#include "store/store.h"\n')), [])
        self.assertEqual(list(complaints_about_insides("tests/store/a.cc", '#include "store/shard/shard.h"\n')), [])

    def test_bans(self):
        for name, line, part in [
            ("store/a.h", "#ifndef STORE_A_H_", "#pragma once"),
            ("store/a.cc", "using namespace absl;", "the name"),
            ("store/a.cc", "std::format(x)", "absl::StrFormat"),
            ("server/a.cc", '#include "etcd/rpc.pb.h"', "the view"),
            ("client/pipeline/call_queue.h", '#include "grpcpp/alarm.h"', "PipelineStream hands in"),
            ("store/a.cc", "class EntryManager {", "a noun"),
            ("tests/a.cc", "std::this_thread::sleep_for(x)", "an event"),
            ("tests/a.py", "time.sleep(1)", "an event"),
            ("dev", "# TO" + "DO: more", "an issue"),
            ("README.md", "see /hom" + "e/me/x", "a path"),
            ("a.json", '"resolved": "x"', "nothing"),
            ("store/a.cc", "int x; ", "without blanks"),
        ]:
            with self.subTest(line):
                self.expect_one(complaints_about_lines(name, line + "\n"), part)

    def test_names_and_shapes(self):
        self.expect_one(complaints_about_names("store/FooBar.cc"), "snake_case")
        self.expect_one(complaints_about_names("store/Sub/a.cc"), "snake_case")
        self.expect_one(complaints_about_names("client/examples/java/CacheUtils.java"), "one idea")
        self.assertEqual(list(complaints_about_names("client/examples/java/NearCache.java")), [])
        self.expect_one(complaints_about_names("store/key_utils.h"), "one idea")
        self.expect_one(complaints_about_shape("store/a.cc", "\n" * 601), "at most 600")
        self.expect_one(complaints_about_shape("store/a.h", "int x;\n"), "#pragma once")
        self.expect_one(complaints_about_shape("store/a.cc", "int x;"), "line feed")
        self.expect_one(complaints_about_picture_size("bench/results/a.png", 151_000), "draw it smaller")
        self.expect_one(complaints_about_width("a.md", "x" * 133 + "\n```\n" + "x" * 200 + "\n```\n"), "133 columns")
        self.expect_one(complaints_about_links("README.md", "[x](nowhere/at_all.md)"), "mend the link")


if __name__ == "__main__":
    unittest.main()
