"""``python -m bench``: every program mirrors the same stream in turn, several times over, into the same broker.

With ``--latency`` and ``--hand-over`` kmbridge alone is looked at, as a consumer of its records sees it.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from typing import Any

from bench import hand_over, latency
from bench.arrivals import WrongArrivalsError
from bench.flow import WrongFlowError
from bench.load import PARTITIONS, SHARDS, VALUE_BYTES, Load, fill, fill_sample
from bench.mirror import READ_SHARE
from bench.report import Findings, as_json, as_text
from bench.servers import Servers, running_servers
from bench.subjects import CEILING, SUBJECTS, read_ceiling, try_out
from bench.trial import TrialError
from tests.support.mirror_process import EndedError
from tests.support.provision import MissingServerError
from tests.support.waiting import DeadlineError


def main() -> int:
    asked = _arguments()
    try:
        with running_servers() as servers:
            print(_found(servers, asked))
    except (MissingServerError, TrialError, WrongArrivalsError, WrongFlowError, EndedError, DeadlineError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _found(servers: Servers, asked: argparse.Namespace) -> str:
    """What was asked for, measured and written down."""
    if asked.latency:
        arrivals = asyncio.run(latency.measure(servers, asked.repeat))
        document, text = latency.as_json(arrivals), latency.as_text(arrivals)
    elif asked.hand_over:
        hand_overs = asyncio.run(hand_over.measure(servers, asked.repeat, _say))
        document, text = hand_over.as_json(hand_overs), hand_over.as_text(hand_overs)
    else:
        findings = _measure(servers, asked)
        setting = _setting(asked)
        document, text = as_json(findings, setting), as_text(findings, setting)
    return json.dumps(document, indent=2) if asked.json else text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description="kmbridge beside a hand-written loop")
    parser.add_argument("--records", type=int, default=300_000, help="size of the stream (default: 300000)")
    parser.add_argument("--keys", type=int, default=10_000, help="different keys (default: 10000)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the medians are shown (default: 3)")
    parser.add_argument("--only", action="append", choices=(CEILING, *SUBJECTS), help="measure this; repeatable")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--latency", action="store_true", help="how long records take from sender to consumer, instead")
    other.add_argument("--hand-over", action="store_true", help="how long partitions stand still when a worker goes")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    if min(asked.records, asked.keys, asked.repeat) < 1:
        parser.error("--records, --keys and --repeat are 1 or more")
    return asked


def _measure(servers: Servers, asked: argparse.Namespace) -> Findings:
    chosen = asked.only or [CEILING, *SUBJECTS]
    mirrors = [name for name in SUBJECTS if name in chosen]
    _say(f"writing {asked.records} records")
    sample, load = fill_sample(servers.kinesis), fill(servers.kinesis, asked.records, asked.keys)
    findings = Findings(asked.records, asked.keys)
    if mirrors:
        _say("once unmeasured, until the broker is warm")
        try_out(mirrors[-1], servers, load)
    for number in range(asked.repeat):
        if CEILING in chosen:
            findings.ceilings.append(read_ceiling(servers, load))
        # Whoever comes first in one round comes last in the next, so that nobody profits from the order.
        turn = number % max(1, len(mirrors))
        for name in mirrors[turn:] + mirrors[:turn]:
            _try_out(findings, name, servers, sample, load)
    return findings


def _try_out(findings: Findings, name: str, servers: Servers, sample: Load, load: Load) -> None:
    findings.starts.setdefault(name, []).append(try_out(name, servers, sample))
    trial = try_out(name, servers, load)
    findings.trials.setdefault(name, []).append(trial)
    rate, used = trial.records_per_second(), trial.usage
    _say(f"{name}: {rate:,.0f} records/s, {used.cpu_s:.2f} s of CPU, {used.peak_mb:.0f} MB")


def _setting(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "load": f"{asked.records} records of {VALUE_BYTES} bytes, half random, {asked.keys} keys, {SHARDS} shards, "
        f"{PARTITIONS} partitions; medians of {asked.repeat} rounds",
        "machine": f"{os.cpu_count()} cores for program, servers and broker together; load average before the end "
        f"{os.getloadavg()[1]:.1f}; Python {platform.python_version()}",
        "alike": "lz4, acks=all, idempotent producer; every record verified to have arrived once, each key in order",
        "pacing": f"read_share {READ_SHARE} for kmbridge: what AWS allows a shard bounds none of the programs",
        "records/s": "from the broker's first append until readers of committed records had them all, without those "
        "of the first append",
        "whole s": "from the start of the process until readers had all; start s: the same for 40 records",
        "CPU s/M": "user and system of the program's process per million records, with and without its start-up",
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
