"""``python -m bench``: every program mirrors the same records in turn, several times over.

With ``--latency``, ``--hand-over``, ``--limits`` and ``--verify`` kmbridge alone is looked at, with ``--dual-write`` an
application that writes to two places, with ``--page`` a browser, with ``--transforms`` calls of functions, with
``--schemas`` the step between registries.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

from bench import comparison, dual_write, hand_over, latency, page, schemas, transforms, verify
from bench.arrivals import WrongArrivalsError
from bench.flow import WrongFlowError
from bench.process import TrialError
from bench.rounds import Asked, say
from bench.servers import Servers, running_servers
from bench.to_kinesis import comparison as to_kinesis
from bench.to_kinesis import limits
from tests.support.mirror_process import EndedError
from tests.support.provision import MissingServerError
from tests.support.waiting import DeadlineError


def main() -> int:
    asked = _arguments()
    try:
        alone = asked.page or asked.transforms or asked.schemas
        document, text = _found_alone(asked) if alone else _found_beside_servers(asked)
        print(json.dumps(document, indent=2) if asked.json else text)
    except (MissingServerError, TrialError, WrongArrivalsError, WrongFlowError, EndedError, DeadlineError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _found_alone(asked: argparse.Namespace) -> tuple[Any, str]:
    """What needs no servers."""
    if asked.transforms:
        called = asyncio.run(transforms.measure(asked.repeat))
        return transforms.as_json(called), transforms.as_text(called)
    if asked.schemas:
        steps = asyncio.run(schemas.measure(asked.repeat))
        return schemas.as_json(steps), schemas.as_text(steps)
    costs = asyncio.run(page.measure(asked.repeat))
    return page.as_json(costs), page.as_text(costs)


def _found_beside_servers(asked: argparse.Namespace) -> tuple[dict[str, Any], str]:
    with running_servers() as servers:
        return _found(servers, asked)


def _found(servers: Servers, asked: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """What was asked for, measured and written down."""
    if asked.latency:
        arrivals = asyncio.run(latency.measure(servers, asked.repeat))
        return latency.as_json(arrivals), latency.as_text(arrivals)
    if asked.hand_over:
        hand_overs = asyncio.run(hand_over.measure(servers, asked.repeat, say))
        return hand_over.as_json(hand_overs), hand_over.as_text(hand_overs)
    if asked.limits:
        found = asyncio.run(limits.measure(servers.kafka, asked.repeat))
        return limits.as_json(found), limits.as_text(found)
    if asked.verify:
        speeds = asyncio.run(verify.measure(servers, asked.records, asked.keys or 10_000, asked.repeat))
        return verify.as_json(speeds), verify.as_text(speeds)
    if asked.dual_write:
        costs = dual_write.measure(servers, asked.records, asked.keys or 10_000, asked.repeat)
        return dual_write.as_json(costs), dual_write.as_text(costs)
    compare = to_kinesis.compare if asked.to_kinesis else comparison.compare
    return compare(servers, Asked(asked.records, asked.keys, asked.repeat, asked.only))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description="kmbridge beside a hand-written loop")
    parser.add_argument("--records", type=int, default=300_000, help="how many are mirrored (default: 300000)")
    parser.add_argument("--keys", type=int, help="different keys (default: 10000; 200 as well with --to-kinesis)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the medians are shown (default: 3)")
    parser.add_argument("--only", action="append", help="measure this program; repeatable")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--to-kinesis", action="store_true", help="from a topic into a stream, not the other way")
    other.add_argument("--latency", action="store_true", help="how long records take from sender to consumer, instead")
    other.add_argument("--hand-over", action="store_true", help="how long partitions stand still when a worker goes")
    other.add_argument("--limits", action="store_true", help="how much of a limited stream's shards is used, instead")
    other.add_argument("--verify", action="store_true", help="how fast kmbridge verify compares, instead")
    other.add_argument("--dual-write", action="store_true", help="what it costs to write to a shadow too, instead")
    other.add_argument("--page", action="store_true", help="what the live page costs, instead")
    other.add_argument("--transforms", action="store_true", help="what calling functions of transforms costs, instead")
    other.add_argument("--schemas", action="store_true", help="what the step between schema registries costs, instead")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    if min(asked.records, asked.keys or 1, asked.repeat) < 1:
        parser.error("--records, --keys and --repeat are 1 or more")
    programs = to_kinesis.PROGRAMS if asked.to_kinesis else comparison.PROGRAMS
    if unknown := set(asked.only or ()) - {*programs}:
        parser.error(f"--only {', '.join(sorted(unknown))}: there are {', '.join(programs)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
