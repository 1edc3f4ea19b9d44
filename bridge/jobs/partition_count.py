"""A topic that has got more partitions: the checkpoints of a stopped mirror are told that this is meant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import structlog

from bridge.assembly import assemble, reached
from bridge.config import Configuration
from bridge.engine.identity import of_this_sink, of_this_source
from bridge.errors import BridgeError
from bridge.keeping.changing import changeable
from checkpoints.base import Checkpoint
from connectors.base import Clock, Connector, Observer, Sink, Source

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint that was of another number of partitions. Identities are None where they were right already."""

    partition: str
    position: str | None
    source: tuple[str, str] | None
    """What it was, and is."""
    sink: tuple[str, str] | None


async def accept_partition_counts(configuration: Configuration) -> tuple[Accepted, ...]:
    """Let the mirror go on where it stands, with as many partitions as its topics have now; what was changed.

    Nobody may work on the mirror: ``StoreBusyError``. Raises ``BridgeError``, with nothing changed, where an end is
    another stream or topic, and what reaching the ends and the checkpoints raises.
    """
    ends = assemble(configuration, observer=Observer(), clock=Clock(), random=Random()).ends
    async with changeable(configuration, create=False, force=False) as store:
        found = await store.load()
        async with reached("source", ends.source) as source, reached("sink", ends.sink) as sink:
            accepted = [_accepted(name, each, source, sink) for name, each in sorted(found.items())]
            changed = {each.partition: each for each in accepted if each.source or each.sink}
            for each in changed.values():
                log.warning(
                    "another number of partitions accepted",
                    mirror=configuration.name,
                    partition=each.partition,
                    position=each.position,
                    source=each.source,
                    sink=each.sink,
                )
            await store.save(_saved(changed, found))
    return tuple(changed.values())


def _accepted(name: str, checkpoint: Checkpoint, source: Source, sink: Sink) -> Accepted:
    is_read, is_written = of_this_source(checkpoint, source), of_this_sink(checkpoint, sink)
    return Accepted(
        name,
        checkpoint.position,
        None if is_read else _change(name, "source", checkpoint.source, source),
        None if is_written else _change(name, "sink", checkpoint.sink, sink),
    )


def _change(name: str, end: str, was: str, now: Connector) -> tuple[str, str]:
    if not now.is_regrown(was):
        raise BridgeError(
            f"go on in {name}",
            f"the {end} was recreated: it was {was}, and is {now.identity}",
            "that is no other number of partitions: kmbridge checkpoints reset begins anew",
        )
    return was, now.identity


def _saved(changed: Mapping[str, Accepted], found: Mapping[str, Checkpoint]) -> Mapping[str, Checkpoint]:
    return {
        name: replace(
            found[name],
            source=found[name].source if each.source is None else each.source[1],
            sink=found[name].sink if each.sink is None else each.sink[1],
        )
        for name, each in changed.items()
    }
