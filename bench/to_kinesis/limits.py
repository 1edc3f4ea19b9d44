"""How much of what its shards take a mirror writes into a stream that enforces AWS's limits."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import verdict
from bench.load import PARTITIONS, VALUE_BYTES
from bench.rounds import say
from bench.servers import Servers
from bench.to_kinesis.arrivals import StreamArrivals, Taken, read_stream
from bench.to_kinesis.load import TopicLoad, fill
from bench.to_kinesis.subjects import configuration
from bench.trial import new_stream
from connectors.codecs.kpl import hash_of
from tests.support.ferrokinesis import Ferrokinesis
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord, generate

SHARDS = 2
LIMIT_BYTES = 1_048_576
"""Of data, a second and shard, as ferrokinesis counts it: keys are not in it."""
LIMIT_RECORDS = 1_000
SHARE_TARGET = 0.9
ONE_KEY_TARGET = 900_000.0
"""Bytes of values a second."""
_SECONDS = 20
_KEYS = 50
_WARM_S = 2
_PATIENCE_S = 120.0
SETTING = (
    f"{_KEYS} keys, half of them in each of {SHARDS} shards that take 1 MiB and 1,000 records a second, {PARTITIONS} "
    f"partitions, {VALUE_BYTES} bytes\na record, all of them waiting from the beginning: the share of the shard that "
    f"took less, in whole seconds without the first two\n(to reach {SHARE_TARGET:.0%}, and "
    f"{ONE_KEY_TARGET / 1000:g} kB/s with one key); every record arrived once, each key in order"
)


@dataclass(frozen=True, slots=True)
class Case:
    """What a mirror is asked for. Without ``provenance`` aggregates hold less beside the values."""

    codec: str
    keys: int = _KEYS
    provenance: str = "auto"


CASES = {
    "kpl": Case("kpl"),
    "envelope": Case("envelope"),
    "kpl, one key": Case("kpl", 1),
    "kpl, one key, provenance: never": Case("kpl", 1, "never"),
}


@dataclass(frozen=True, slots=True)
class Used:
    """``share`` is that of the tighter of a shard's two limits, of the shard that took less."""

    share: float
    value_bytes_per_s: float
    """Of all shards together."""
    throttled: int
    """Entries that were refused."""
    entries: int
    """Those that were written."""


async def measure(kafka: str, repeat: int) -> dict[str, list[Used]]:
    """Of each case in turn, ``repeat`` times. More is in the topic from the beginning than its shards take."""
    found: dict[str, list[Used]] = {label: [] for label in CASES}
    with (
        tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as folder,
        Ferrokinesis(Path(folder), enforce_limits=True) as server,
    ):
        servers = Servers(server.address, kafka)
        loads = {keys: fill(kafka, _records(keys)) for keys in {case.keys for case in CASES.values()}}
        for _ in range(repeat):
            for label, case in CASES.items():
                used = await _try_out(servers, loads[case.keys], case)
                found[label].append(used)
                say(f"{label}: {used.share:.1%} of the limit, {used.throttled} of {used.entries} refused")
    return found


def _records(keys: int) -> Iterator[TestRecord]:
    """Of keys that are half of one shard and half of the other: what a shard has is then not what bounds the other."""
    names = _even_names(keys)
    size = _SECONDS * min(SHARDS, keys) * LIMIT_BYTES // VALUE_BYTES
    for record in generate(size, keys, size=VALUE_BYTES):
        yield replace(record, key=names[record.key])


def _even_names(keys: int) -> dict[str, str]:
    free = count()
    names = {}
    for number in range(keys):
        shard = number % SHARDS
        fitting = (name for name in map("key-{}".format, free) if hash_of(name.encode()) >> 127 == shard)
        names[f"key-{number}"] = next(fitting)
    return names


async def _try_out(servers: Servers, load: TopicLoad, case: Case) -> Used:
    with tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as folder, new_stream(servers.kinesis, SHARDS) as stream:
        asked = configuration(servers, load.topic, stream, case.codec)
        more = {"name": stream, "checkpoints": asked["checkpoints"], "provenance": case.provenance}
        mirror = MirrorProcess(Path(folder), asked["source"], asked["sink"], more)
        async with mirror:
            await mirror.until_written(load.records, _PATIENCE_S)
            throttled = await mirror.metric("kmbridge_throttled_total", operation="PutRecords")
            await mirror.stop()
        arrivals = await read_stream(servers.kinesis, stream)
        arrivals.judge(load.counts)
        arrivals.judge_order()
        return _used(arrivals, int(throttled))


def _used(arrivals: StreamArrivals, throttled: int) -> Used:
    """What each shard took in whole seconds of the server's clock, without those at either end."""
    first, last = min(arrivals.taken)[0] + _WARM_S, max(arrivals.taken)[0] - 1
    steady = {place: taken for place, taken in arrivals.taken.items() if first <= place[0] <= last}
    seconds = last - first + 1
    by_shard: dict[str, Taken] = {}
    for (_, shard), taken in steady.items():
        by_shard[shard] = by_shard.get(shard, Taken()) + taken
    shares = [max(each.size / LIMIT_BYTES, each.entries / LIMIT_RECORDS) / seconds for each in by_shard.values()]
    entries = sum(taken.entries for taken in arrivals.taken.values())
    values = sum(each.records for each in by_shard.values()) * VALUE_BYTES
    return Used(min(shares), values / seconds, throttled, entries)


def as_json(found: Mapping[str, Sequence[Used]]) -> dict[str, Any]:
    return {label: [asdict(used) for used in rounds] for label, rounds in found.items()}


def as_text(found: Mapping[str, Sequence[Used]]) -> str:
    width = max(map(len, CASES))
    rows = [SETTING, f"{'':<{width}}{'share':>8}{'kB/s of values':>16}{'refused':>9}{'written':>9}"]
    for label, rounds in found.items():
        share, rate = median(each.share for each in rounds), median(each.value_bytes_per_s for each in rounds)
        refused, written = sum(each.throttled for each in rounds), sum(each.entries for each in rounds)
        reached = share >= SHARE_TARGET if CASES[label].keys > 1 else rate >= ONE_KEY_TARGET
        figures = f"{share:>8.1%}{rate / 1000:>16,.0f}{refused:>9}{written:>9}"
        rows.append(f"{label:<{width}}{figures}  {verdict(reached)}")
    return "\n".join(rows)
