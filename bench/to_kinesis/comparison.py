"""From a topic into a stream: kmbridge beside a hand-written loop and the server's own ceiling."""

from functools import partial
from typing import Any

from bench.figures import CEILING, Findings
from bench.load import PARTITIONS, SHARDS, VALUE_BYTES
from bench.rounds import Asked, Contest, machine, say
from bench.servers import Servers
from bench.to_kinesis.load import random_load, sample_load
from bench.to_kinesis.report import as_json, as_text
from bench.to_kinesis.subjects import SUBJECTS, try_out, write_ceiling
from bench.to_kinesis.trial import StreamTrial

PROGRAMS = (CEILING, *SUBJECTS)
_KEYS = (10_000, 200)
"""Hardly two records of a key are under way at once; many are, and aggregates hold them."""


def compare(servers: Servers, asked: Asked) -> tuple[dict[str, Any], str]:
    """A document, and the same for a person."""
    findings = [_measured(servers, asked, keys) for keys in ((asked.keys,) if asked.keys else _KEYS)]
    setting = _setting(asked)
    return as_json(findings, setting), as_text(findings, setting)


def _measured(servers: Servers, asked: Asked, keys: int) -> Findings[StreamTrial]:
    say(f"writing {asked.records} records of {keys} keys")
    sample, load = sample_load(servers.kafka), random_load(servers.kafka, asked.records, keys)
    return Contest(
        asked.records,
        keys,
        asked.chosen(SUBJECTS),
        partial(write_ceiling, servers, asked.records) if asked.of([CEILING]) else None,
        lambda name: try_out(name, servers, sample),
        lambda name: try_out(name, servers, load),
    ).measure(asked.repeat)


def _setting(asked: Asked) -> dict[str, Any]:
    return {
        "load": f"{asked.records} records of {VALUE_BYTES} bytes, half random, lz4, {PARTITIONS} partitions, {SHARDS} "
        f"shards without limits; medians of {asked.repeat} rounds",
        "machine": machine(),
        "alike": "every record verified to have arrived once; with kmbridge each key in order, too",
        "records/s": "from the first look at the server that found something until the last that found more",
        "whole s": "from the start of the process to the same; start s: the same for 40 records",
        "CPU s/M": "user and system of the program's process per million records, with and without its start-up",
    }
