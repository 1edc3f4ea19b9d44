"""From a stream into a topic: kmbridge beside a hand-written loop and the server's own ceiling."""

from functools import partial
from typing import Any

from bench.figures import CEILING
from bench.load import PARTITIONS, SHARDS, VALUE_BYTES, fill, fill_sample
from bench.mirror import READ_SHARE
from bench.report import as_json, as_text
from bench.rounds import Asked, Contest, machine, say
from bench.servers import Servers
from bench.subjects import SUBJECTS, read_ceiling, try_out

PROGRAMS = (CEILING, *SUBJECTS)
_KEYS = 10_000


def compare(servers: Servers, asked: Asked) -> tuple[dict[str, Any], str]:
    """A document, and the same for a person."""
    keys = asked.keys or _KEYS
    say(f"writing {asked.records} records")
    sample, load = fill_sample(servers.kinesis), fill(servers.kinesis, asked.records, keys)
    findings = Contest(
        asked.records,
        keys,
        asked.chosen(SUBJECTS),
        partial(read_ceiling, servers, load) if asked.of([CEILING]) else None,
        lambda name: try_out(name, servers, sample),
        lambda name: try_out(name, servers, load),
    ).measure(asked.repeat)
    setting = _setting(asked, keys)
    return as_json(findings, setting), as_text(findings, setting)


def _setting(asked: Asked, keys: int) -> dict[str, Any]:
    return {
        "load": f"{asked.records} records of {VALUE_BYTES} bytes, half random, {keys} keys, {SHARDS} shards, "
        f"{PARTITIONS} partitions; medians of {asked.repeat} rounds",
        "machine": machine(),
        "alike": "lz4, acks=all, idempotent producer; every record verified to have arrived once, each key in order",
        "pacing": f"read_share {READ_SHARE} for kmbridge: what AWS allows a shard bounds none of the programs",
        "records/s": "from the broker's first append until readers of committed records had them all, without those "
        "of the first append",
        "whole s": "from the start of the process until readers had all; start s: the same for 40 records",
        "CPU s/M": "user and system of the program's process per million records, with and without its start-up",
    }
