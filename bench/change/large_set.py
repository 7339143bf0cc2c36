"""How long callers wait while a large value is written into a store full of small ones."""

import contextlib
import time

import probers
import stalls
from harness import builds, ferrite_json, servers

TITLE = "While a large value is written"
TARGETS = ("bench-prober", "ferrite", "ferrite-server")
MIB = 1 << 20
VALUE_BYTES = 64
# Less than an entry takes: one entry per so many bytes of memory is more than fits.
LEAST_ENTRY_BYTES = 110
AFTER_SECONDS = 0.3  # work that a Set puts off counts as part of it
LARGE_KEY = "large:0"
CAUSES = {
    "full": "Set, full store",
    "full_id": "Set with request_id, full store",
    "room": "Set, store with room",
}
ASKED = {"get": "Get", "set": "small Set with request_id"}
# Of bench-prober.
OPTIONS = {"get": {"ask": "get"}, "set": {"ask": "set", "request_ids": True}}


def add_arguments(parser):
    parser.add_argument("--large-mib", type=int, default=64, help="size of the large value")
    parser.add_argument("--store-mib", type=int, default=256, help="memory of the full store")


class _Store:
    """A running server of one build."""

    def __init__(self, stack, directory, threads, build_dir, arguments):
        self._directory = directory
        self._build_dir = build_dir
        self._arguments = arguments
        self._large_bytes = arguments.large_mib * MIB
        self._store_bytes = arguments.store_mib * MIB
        server_cores, self._cores = stalls.cores(threads)
        flags = [f"--max-memory={self._store_bytes}", f"--max-value-bytes={self._large_bytes}"]
        flags += ["--max-inflight-bytes=512MiB"]
        self._server = stack.enter_context(
            servers.ferrite(directory, *flags, threads=threads, cores=server_cores)
        )

    def _command(self, *words):
        return ferrite_json.parse(
            builds.command(self._directory, self._server, self._cores, "--json", *words)
        )

    def fill(self):
        """Writes small entries until the store evicts some."""
        before = self._command("stats")["evictions"]
        keys = self._store_bytes // LEAST_ENTRY_BYTES
        servers.fill_ferrite(self._build_dir, self._server, keys=keys, value_size=VALUE_BYTES)
        if self._command("stats")["evictions"] == before:
            raise RuntimeError(f"{keys} entries do not fill the store")

    def delete_large(self):
        builds.command(self._directory, self._server, self._cores, "del", LARGE_KEY)

    def seen(self, **options):
        """(milliseconds that a large Set takes, {prober: stall})."""
        time.sleep(self._arguments.settle_seconds)
        windows = []
        with contextlib.ExitStack() as stack:
            watching = probers.watching(
                stack, self._build_dir, self._server, cores=self._cores, asked=OPTIONS
            )
            writer = stack.enter_context(
                probers.Prober(
                    self._build_dir,
                    self._server,
                    cores=self._cores,
                    ask="set",
                    name=LARGE_KEY.partition(":")[0],
                    keys=1,
                    count=1,
                    value_bytes=self._large_bytes,
                    **options,
                )
            )
            idle = probers.watch_nothing(self._arguments.idle_seconds)
            with probers.timed(windows):
                took_ms = writer.finish().total_ms()
                time.sleep(AFTER_SECONDS)
            calls = {name: prober.finish() for name, prober in watching.items()}
        return took_ms, {name: each.stall(windows[0], idle) for name, each in calls.items()}


def _run_once(directory, threads, build_dir, arguments):
    found = {}
    with contextlib.ExitStack() as stack:
        store = _Store(stack, directory, threads, build_dir, arguments)
        found["room"] = store.seen()
        for cause, options in (("full", {}), ("full_id", {"request_ids": True})):
            store.delete_large()
            store.fill()
            found[cause] = store.seen(**options)
    return tuple({cause: each[part] for cause, each in found.items()} for part in (0, 1))


def measure(build_dir, arguments):
    return {
        "rounds": arguments.stall_rounds,
        "large_mib": arguments.large_mib,
        "store_mib": arguments.store_mib,
        "runs": stalls.measure(
            build_dir,
            arguments,
            lambda directory, threads: _run_once(directory, threads, build_dir, arguments),
        ),
    }


def ratios(figures):
    runs, full = figures["runs"], ("full", "full_id")
    return {
        "large_set_stall_set_ms": stalls.worst_ms(runs, full, "set"),
        "large_set_stall_get_ms": stalls.worst_ms(runs, full, "get"),
    }


def markdown(figures):
    return f"""One Set of {figures["large_mib"]} MiB into a store of {figures["store_mib"]} MiB that is full of entries of 16 B + {VALUE_BYTES} B, some of which it has
to evict, and the {AFTER_SECONDS:g} s after it. Rounds, each with a new server: {figures["rounds"]}. The Set into a store with room
shows how much of a stall is not eviction but the way of such a value through gRPC and into memory.

{stalls.EXPLANATION}

{stalls.table(figures["runs"], CAUSES, ASKED)}"""
