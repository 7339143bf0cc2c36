"""Server CPU of keys that are read from their owners, from any node, and from a node without a cluster."""

import contextlib
import subprocess

import nodes
from harness import ferrite_json, load, process, report, servers, terminal

TITLE = "What a cluster costs"
TARGETS = ("bench-cluster-load", "ferrite", "ferrite-server")
VALUE_BYTES = 64
FRAME = 64

# {name: (label, cluster or single, calls or frames at a node in each case)}
SUBJECTS = {
    "frames, single": "frames of 64, one node without a cluster",
    "frames, routed": "frames of 64, each key to its owner",
    "frames, any node": "frames of 64, to any node",
    "auto, single": "automatic batching, one node without a cluster",
    "auto, routed": "automatic batching, the library routes",
    "unary, single": "unary Get, one node without a cluster",
    "unary, routed": "unary Get, to the key's owner",
    "unary, any node": "unary Get, to any node",
}
# {ratio: (what is compared, with what)}
RATIOS = {
    "routed_cpu_vs_single": ("frames, routed", "frames, single"),
    "routed_auto_cpu_vs_single": ("auto, routed", "auto, single"),
    "any_node_unary_cpu": ("unary, any node", "unary, routed"),
    "any_node_pipeline64_cpu": ("frames, any node", "frames, routed"),
}
FRAMES = 16  # in flight at each node
CALLS = 66  # in flight in all, so that three nodes have equally many
CALLERS = 64  # of the library, at each node


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement")
    parser.add_argument("--keys", type=int, default=100_000)


class Spent:
    """One measurement: keys a second, and CPU of the servers per key, in all and of each."""

    def __init__(self, keys, seconds, cpus):
        self.per_second = keys / seconds
        self.cpu_us = sum(cpus) / keys * 1e6
        self.cpu_us_each = [cpu / keys * 1e6 for cpu in cpus]


class Load:
    """bench-cluster-load or `ferrite bench` at some servers."""

    def __init__(self, command, pids, keys_of):
        self._command = process.pinned(command, nodes.load_cores())
        self._pids = pids
        self._keys_of = keys_of  # (keys, seconds, failed) of what it printed

    def run(self, seconds):
        before = [process.cpu_seconds(pid) for pid in self._pids]
        command = [word.format(seconds=seconds) for word in self._command]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        cpus = [process.cpu_seconds(pid) - cpu for pid, cpu in zip(self._pids, before, strict=True)]
        keys, lasted, failed = self._keys_of(ferrite_json.parse(done.stdout))
        if failed:
            raise RuntimeError(f"{failed} keys failed or were missed: {command}")
        return Spent(keys, lasted, cpus)


def _of_load(printed):
    return printed["keys"], printed["seconds"], printed["failed"]


def _of_bench(printed):
    every = printed["all"]
    failed = sum(every["errors"].values()) + printed["misses"]
    return every["keys"], every["keys"] / every["keys_per_second"], failed


class Loads:
    """The loads of one set of servers."""

    def __init__(self, build_dir, addresses, pids, keys):
        self._bin = build_dir / "bin"
        self._addresses = addresses
        self._pids = pids
        self._keys = keys

    def raw(self, *words):
        command = [self._bin / "bench-cluster-load", f"--nodes={','.join(self._addresses)}", f"--keys={self._keys}"]
        command += [f"--key-size={load.KEY_BYTES}", f"--value-size={VALUE_BYTES}", f"--batch={FRAME}", *words]
        return Load(command, self._pids, _of_load)

    def fill(self):
        subprocess.run(self.raw("--fill")._command, check=True, stdout=subprocess.DEVNULL)

    def frames(self, *words):
        return self.raw(f"--in-flight={FRAMES}", "--seconds={seconds}", *words).run

    def unary(self, *words):
        return self.raw("--unary", f"--in-flight={CALLS // len(self._addresses)}", "--seconds={seconds}", *words).run

    def auto(self):
        command = [self._bin / "ferrite", "bench", "--json", "--warmup=0s", "--no-preload", "--mode=auto", "--connections=1"]
        command += ["--threads=1", f"--server={self._addresses[0]}", f"--in-flight={CALLERS * len(self._addresses)}"]
        command += [f"--keys={self._keys}", f"--key-size={load.KEY_BYTES}", "--duration={seconds}s"]
        return Load(command, self._pids, _of_bench).run


def measure(build_dir, arguments):
    cores = nodes.server_cores()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.ferrite(build_dir, "--max-memory=512MiB"))
        made = stack.enter_context(nodes.running(build_dir, "--max-memory=512MiB", "--threads=1", cores=cores))
        single = Loads(build_dir, [server.address], [server.pid], arguments.keys)
        three = Loads(build_dir, nodes.addresses(made), nodes.pids(made), arguments.keys)
        single.fill()
        three.fill()
        turns = {
            "frames, single": single.frames(),
            "frames, routed": three.frames(),
            "frames, any node": three.frames("--any-node"),
            "auto, single": single.auto(),
            "auto, routed": three.auto(),
            "unary, single": single.unary(),
            "unary, routed": three.unary(),
            "unary, any node": three.unary("--any-node"),
        }
        outcomes = load.take_turns(
            turns,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            progress=terminal.Progress((arguments.rounds + 1) * len(turns)),
        )
    return {"rounds": arguments.rounds, "seconds": arguments.seconds, "keys": arguments.keys, "outcomes": outcomes}


def _values(outcomes, name):
    return [outcome["cpu_us"] for outcome in outcomes[name]]


def ratios(figures):
    outcomes = figures["outcomes"]
    return {
        ratio: report.median_ratio(_values(outcomes, name), _values(outcomes, other))
        for ratio, (name, other) in RATIOS.items()
    }


def markdown(figures):
    rows = []
    for name, label in SUBJECTS.items():
        runs = sorted(figures["outcomes"][name], key=lambda run: run["cpu_us"])
        middle = runs[len(runs) // 2]
        each = ", ".join(f"{cpu:.2f}" for cpu in middle["cpu_us_each"])
        rows.append([label, f"{middle['per_second']:,.0f}", f"{middle['cpu_us']:.2f}", each])
    header = ["what", "keys/s", "server CPU us a key", "of each node"]
    return f"""Three nodes with one etcd, and a node without, each with one thread and all on one core; the load has the other. {figures["keys"]:,}
keys of {load.KEY_BYTES} B, values of {VALUE_BYTES} B. {FRAMES} frames are in flight at each node, or {CALLS} calls in all, or there are {CALLERS} callers of the library for
each node. CPU is that of all nodes together, the lanes between them included. Each line is the middle one of {figures["rounds"]} rounds of {figures["seconds"]:g} s in
turns; a ratio is the median of those of the rounds. To any node means that two of three keys are forwarded.

{terminal.table(header, rows)}"""
