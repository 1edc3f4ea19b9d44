"""Both sides of a mirror, opened, compared, closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import structlog

from bridge.assembly.opening import all_opened
from bridge.assembly.reading import SideMaker
from bridge.assembly.transforming import chain_of
from bridge.config import Configuration
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point, check_past, check_span
from bridge.jobs.starting import SHARE, leaving_room, starting
from bridge.keeping.stores import checkpoint_reader
from bridge.parity.by_key import compare_by_key
from bridge.parity.by_origin import compare_by_origin
from bridge.parity.expected import Ends
from bridge.parity.extents import everything, source_extent
from bridge.parity.letter_file import read_letters
from bridge.parity.reading import Reader, Side
from bridge.parity.report import ParityReport
from bridge.parity.sides import Letters, Parity
from bridge.parity.skipped import Skipped, skipped
from checkpoints.base import CheckpointError
from connectors.base import Clock, Observer, Source

log = structlog.get_logger(__name__)

OLDEST = Point(Kind.OLDEST, "trim_horizon")
NOW = Point(Kind.NOW, "now")

_TELL_S = 10.0
_PATIENCE_S = 5.0
"""For checkpoints that workers have open."""
_MEMORY = 24 * 2**20
"""Bytes of records that are read and not yet compared; one side is read at a time."""


@dataclass(frozen=True, slots=True)
class Range:
    """What of the source is compared, both ends included."""

    start: Point = OLDEST
    until: Point = NOW


async def verify(
    configuration: Configuration, compared: Range = Range(), *, is_shared: bool = False, clock: Clock | None = None
) -> ParityReport:
    """Whether the sink of ``configuration`` holds what its mirror has to write of ``compared``, each key in order.

    Nothing is written, and a mirror that runs meanwhile is not disturbed. What it has not written yet is missing. Its
    checkpoints are read once something differs: what an operator skipped is none of that. ``is_shared`` says that
    others write to the sink too, and that this is all right.

    Raises ``ConnectorError`` (``UnreachableError`` and ``RefusedError`` within half a minute at the start), and
    ``UsageError`` where the range is none of the source.
    """
    clock = clock or Clock()
    check_past(compared.start)
    check_span(compared.start, compared.until)
    if not configuration.sends_origins and compared != Range():
        raise UsageError(
            "verify",
            "records without an origin do not tell which range they belong to",
            "leave --from and --until out; with provenance: auto and a codec that carries origins, ranges work",
        )
    if not configuration.sends_origins and configuration.transforms:
        raise UsageError(
            "verify",
            "what was made of a record by transforms is told by its origin alone, and records carry none",
            "mirror with provenance: auto, into Kinesis with codec kpl or envelope",
        )
    async with opened(configuration, compared.start, is_shared=is_shared, clock=clock) as parity, told(parity, clock):
        extent = await source_extent(parity.source, compared.start, compared.until)
        sink = partial(everything, parity.sink)
        if configuration.sends_origins:
            return (await compare_by_origin(parity, extent, sink)).report
        return await compare_by_key(parity, extent, sink)


@asynccontextmanager
async def told(parity: Parity, clock: Clock) -> AsyncIterator[None]:
    """While the context lasts, the log tells how far the comparison is."""

    async def tell() -> None:
        while True:
            before, since_s = parity.source.records + parity.sink.records, clock.monotonic()
            await clock.sleep(_TELL_S)
            now = parity.source.records + parity.sink.records
            log.info(
                "comparing",
                read_at_source=parity.source.records,
                read_in_sink=parity.sink.records,
                records_per_second=round((now - before) / (clock.monotonic() - since_s)),
            )

    telling = asyncio.create_task(tell(), name="tell")
    try:
        yield
    finally:
        telling.cancel()


@asynccontextmanager
async def opened(configuration: Configuration, start: Point, *, is_shared: bool, clock: Clock) -> AsyncIterator[Parity]:
    """Both sides, the source from ``start`` on, and the dead letter, entered while the context lasts."""
    random = Random()
    make = side_maker(configuration, start, clock, random)
    source, sink, dead_letter = make.source(), make.sink(), make.dead_letter()
    transform = chain_of(configuration, clock, make.observer)
    async with AsyncExitStack() as stack:
        ends: dict[str, AbstractAsyncContextManager[object]] = {"source": source, "sink": sink}
        if transform is not None:
            ends["transforms"] = transform
        if isinstance(dead_letter, Source):
            ends["dead letter"] = dead_letter
        await all_opened(stack, ends)
        budget = ByteBudget(_MEMORY)

        def side(source: Source) -> Side:
            return Side(source, budget, clock, lambda: Backoff(random))

        letters = None if dead_letter is None else _letters(dead_letter, side)
        yield Parity(
            side(source),
            side(sink),
            Ends(
                source.address,
                sink.address,
                passes_loops=configuration.on_loop == "pass",
                is_shared=is_shared,
                repeats=source.repeats,
                is_transformed=transform is not None,
            ),
            keys_overtake=configuration.sink.kinesis is not None,
            permits_copies=configuration.delivery == "at_least_once",
            letters=letters,
            skipped=partial(_skipped, configuration, source),
            transform=transform,
        )


def side_maker(configuration: Configuration, start: Point, clock: Clock, random: Random) -> SideMaker:
    """The source is read from ``start`` on; streams leave the mirror and other consumers some room."""
    return SideMaker(leaving_room(starting(configuration, start)), clock, random, Observer(), SHARE)


async def _skipped(configuration: Configuration, source: Source) -> Skipped:
    """What operators let the mirror's lanes pass; nothing where its checkpoints cannot be read, which the log tells."""
    try:
        found = await checkpoint_reader(configuration, patience_s=_PATIENCE_S).load()
    except CheckpointError as error:
        log.warning("checkpoints cannot be read: what an operator skipped is missing", error=str(error))
        return Skipped()
    return skipped(found, source)


def _letters(dead_letter: Source | Path, side: Callable[[Source], Side]) -> Letters:
    if isinstance(dead_letter, Path):
        return partial(read_letters, dead_letter)
    reading = side(dead_letter)

    async def read(reader: Reader) -> None:
        await reading.read(await everything(reading), reader)

    return read
