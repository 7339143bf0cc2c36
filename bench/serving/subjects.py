"""Who is compared: the ways to ask Ferrite, Redis and memcached for keys."""

import dataclasses

# What is in flight: so many calls of one key, or so many operations where several travel together.
SINGLE = 64
TOGETHER = 1024
# Of large values fewer, so that what is in flight does not outgrow the processor's caches.
TOGETHER_LARGE = 256
LARGE_BYTES = 8192

# A reply of Pipeline and MGet holds up to this much.
MAX_REPLY_BYTES = 3_500_000


@dataclasses.dataclass(frozen=True)
class Subject:
    """One server asked in one way."""

    label: str
    server: str  # "echo", "ferrite", "redis", "memcached"
    op: str = "get"
    mode: str = "unary"  # of ferrite bench
    batch: int = 1  # keys in a call, frame or command
    pipeline: int = 1  # commands in a burst, of Redis and memcached
    in_flight: int = TOGETHER
    only_bytes: int = 0  # measured only with values of this size; 0: with any

    def measures(self, value_bytes):
        if self.only_bytes not in (0, value_bytes):
            return False
        return self.batch * value_bytes < MAX_REPLY_BYTES

    def operations_in_flight(self, value_bytes):
        if value_bytes < LARGE_BYTES:
            return self.in_flight
        return min(self.in_flight, TOGETHER_LARGE)

    def options(self, value_bytes):
        """Of the load generator that drives it."""
        in_flight = self.operations_in_flight(value_bytes)
        if self.server in ("echo", "ferrite"):
            return {
                "op": self.op,
                "mode": self.mode,
                "connections": 1,
                "threads": 1,
                "in_flight": max(1, in_flight // self.batch),
            } | ({"batch": self.batch} if self.batch > 1 else {})
        return {
            "protocol": self.server,
            "op": self.op,
            "batch": self.batch,
            "pipeline": self.pipeline,
            "connections": max(1, in_flight // (self.batch * self.pipeline)),
        }


def _ferrite(label, **more):
    return Subject("Ferrite " + label, "ferrite", **more)


def _frames(batch, **more):
    return _ferrite(f"Pipeline, frames of {batch} Gets", mode="pipeline", batch=batch, **more)


SUBJECTS = {
    "echo": Subject("bare gRPC echo, unary Get", "echo", in_flight=SINGLE, only_bytes=64),
    "unary": _ferrite("unary Get", in_flight=SINGLE),
    "mget64": _ferrite("MGet of 64", mode="mget", batch=64),
    "pipeline16": _frames(16),
    "pipeline64": _frames(64),
    "pipeline256": _frames(256),
    "set_pipeline64": _ferrite(
        "Pipeline, frames of 64 Sets", op="set", mode="pipeline", batch=64
    ),
    "auto64": _ferrite("automatic batching, 64 callers", mode="auto", in_flight=SINGLE),
    "redis_get": Subject("Redis GET, no pipeline", "redis", in_flight=SINGLE),
    "redis_get16": Subject("Redis GET, pipeline of 16", "redis", pipeline=16, only_bytes=64),
    "redis_get64": Subject("Redis GET, pipeline of 64", "redis", pipeline=64),
    "redis_mget64": Subject("Redis MGET of 64", "redis", batch=64),
    "redis_set64": Subject("Redis SET, pipeline of 64", "redis", op="set", pipeline=64),
    "memcached_get": Subject("memcached get", "memcached", in_flight=SINGLE),
    "memcached_get64": Subject("memcached get of 64 keys", "memcached", batch=64),
}

# {ratio: (numerator, denominator, what of them)}
RATIOS = {
    "unary_cpu_vs_echo": ("unary", "echo", "cpu_us"),
    "unary_vs_redis": ("unary", "redis_get", "per_second"),
    "cpu_per_key_vs_redis": ("pipeline64", "redis_mget64", "cpu_us"),
    "unary_vs_echo": ("unary", "echo", "per_second"),
    "mget64_vs_redis": ("mget64", "redis_mget64", "per_second"),
    "mget64_vs_memcached": ("mget64", "memcached_get64", "per_second"),
    "pipeline64_vs_redis": ("pipeline64", "redis_mget64", "per_second"),
    "pipeline256_vs_redis": ("pipeline256", "redis_mget64", "per_second"),
    "set_pipeline64_vs_redis": ("set_pipeline64", "redis_set64", "per_second"),
    "auto64_vs_redis64": ("auto64", "redis_get", "per_second"),
}
