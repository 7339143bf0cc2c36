"""Whom the store evicts: the traces of bench/eviction, replayed."""

from eviction import replay

TITLE = "Misses"
TARGETS = ("ferrite-trace",)
MIB = 1 << 20
WARM_UP = 0.2


def add_arguments(parser):
    parser.add_argument("--replay-requests", type=int, default=replay.REQUESTS, help="of each trace")
    parser.add_argument("--replay-memory", type=int, default=32, metavar="MIB", help="default: 32")
    parser.add_argument(
        "--replay-traces",
        type=lambda text: text.split(","),
        metavar="TRACE,...",
        help="those of ./dev bench eviction; default: all",
    )


def measure(build_dir, arguments):
    traces = replay.synthetic_traces(build_dir)
    if arguments.replay_traces:
        traces = {name: traces[name] for name in arguments.replay_traces}
    records = replay.measure(
        build_dir,
        [*traces],
        memory_bytes=arguments.replay_memory * MIB,
        requests=arguments.replay_requests,
        warm_up=WARM_UP,
    )
    return {"traces": traces, "requests": arguments.replay_requests, "records": records}


def ratios(figures):
    return {"miss_ratio_vs_best_peer": replay.worst_ratio(figures["records"])}


def markdown(figures):
    records = figures["records"]
    kinds = "\n".join(f"- `{name}`: {text}." for name, text in figures["traces"].items())
    memory = records[0]["memory_bytes"] / MIB
    requests = f"{figures['requests']:,}"
    return f"""Miss ratios after the first {WARM_UP:.0%} of {requests} requests; each cache has
{memory:g} MiB. `./dev bench eviction` says more. F is about how many entries fit into Ferrite. The
ratio below is that of the worst trace.

{replay.table(records)}

{kinds}"""
