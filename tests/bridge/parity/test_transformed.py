"""Sides between which records were dropped, split and changed: compared by identity and order."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.parity.by_origin import compare_by_origin
from bridge.parity.expected import Ends
from bridge.parity.extents import everything
from bridge.parity.reading import Reader, Side
from bridge.parity.report import Kind, ParityReport
from bridge.parity.sides import Parity
from bridge.parity.skipped import Skipped
from bridge.transforms.chain import Chain
from bridge.transforms.columns import rebuilt, records_of
from connectors.base import (
    ORIGIN_HEADER,
    PARTS_HEADER,
    Batch,
    Clock,
    Header,
    Observer,
    Record,
    Rejected,
    TransientError,
    identity_of,
)
from connectors.transform import Transform, Transformed
from tests.bridge.parity.listed import ListedSource
from tests.bridge.parity.test_by_origin import HERE, NOTHING, THERE, by_partition, counts, source_records

COUNT = 300


class Steps(Transform):
    """Remembers what it was asked about, and fails at first."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._is_tired = True

    @property
    def name(self) -> str:
        return "steps"

    async def apply(self, batch: Batch) -> Transformed:
        if self._is_tired:
            self._is_tired = False
            raise TransientError("transform by steps", "not now")
        self.asked += [f"{record.partition}/{record.position}" for record in records_of(batch)]
        answers = [made(record) for record in records_of(batch)]
        rejected = tuple(Rejected(at, "unfit", "") for at, record in enumerate(records_of(batch)) if is_unfit(record))
        parts = [(at, part) for at, answer in enumerate(answers) for part in answer]
        return Transformed(rebuilt(batch, parts), {"filter": answers.count(())}, rejected)


def is_dropped(record: Record) -> bool:
    return record.timestamp_ms % 3 == 0


def is_unfit(record: Record) -> bool:
    return record.timestamp_ms % 50 == 7


def made(record: Record) -> tuple[Record, ...]:
    """The number of a record is its time."""
    if is_dropped(record) or is_unfit(record):
        return ()
    return tuple(replace(record, value=b"other") for _ in range(1 + record.timestamp_ms % 2))


def mirrored(records: Sequence[Record]) -> list[Record]:
    return [
        replace(part, headers=headers_of(record, number, len(made(record))))
        for record in records
        for number, part in enumerate(made(record))
    ]


def headers_of(record: Record, part: int, count: int) -> tuple[Header, ...]:
    """Those of one of ``count`` parts of ``record``."""
    told = ((PARTS_HEADER, str(count).encode()),) if count > 1 and not part else ()
    return (*told, (ORIGIN_HEADER, origin_of(record, part)))


def origin_of(record: Record, part: int = 0) -> bytes:
    return f"{HERE}/{record.partition}/{identity_of(record.position, part)}>{THERE}".encode()


def is_first(record: Record) -> bool:
    return b"~" not in (record.headers[-1][1] or b"")


async def compared(
    source: Sequence[Record], sink: Sequence[Record], letters: Sequence[Record] = ()
) -> tuple[ParityReport, Steps]:
    steps = Steps()
    return await compared_by(steps, source, sink, letters), steps


async def compared_by(
    step: Transform,
    source: Sequence[Record],
    sink: Sequence[Record],
    letters: Sequence[Record] = (),
    skipped: Skipped = NOTHING,
    *,
    overtake: bool = False,
) -> ParityReport:
    def side(address: str, records: Sequence[Record]) -> Side:
        listed = ListedSource(address, by_partition(records))
        return Side(listed, ByteBudget(1_000), Clock(), lambda: Backoff(Random(1)))

    buried = side(THERE, letters)

    async def read_letters(reader: Reader) -> None:
        await buried.read(await everything(buried), reader)

    async def look_up_skipped() -> Skipped:
        return skipped

    parity = Parity(
        side(HERE, source),
        side(THERE, sink),
        Ends(HERE, THERE, is_transformed=True),
        keys_overtake=overtake,
        permits_copies=False,
        letters=read_letters,
        skipped=look_up_skipped,
        transform=Chain([step], Clock(), Observer()),
    )
    return (await compare_by_origin(parity, await everything(parity.source), partial(everything, parity.sink))).report


@pytest.fixture
def source() -> list[Record]:
    return source_records(COUNT, 10)


@pytest.fixture
def letters(source: list[Record]) -> list[Record]:
    return [replace(each, headers=((ORIGIN_HEADER, origin_of(each)),)) for each in source if is_unfit(each)]


async def test_dropped_split_and_changed_records_are_accounted_for(source: list[Record], letters: list[Record]) -> None:
    """Only what is missing is put through the steps again, in spite of a fault of the moment; no range is for parts."""
    sink = mirrored(source)
    report, steps = await compared(source, sink, letters)
    dropped = [each for each in source if is_dropped(each) and not is_unfit(each)]
    assert report.equal, counts(report)
    assert report.left_out == {"dropped": len(dropped), "dead_letter": len(letters)}
    assert report.parts == sum(not is_first(each) for each in sink)
    assert report.source_records == COUNT - len(dropped)
    assert sorted(steps.asked) == sorted(f"{each.partition}/{each.position}" for each in dropped)


async def test_what_is_lost_is_missing_and_what_steps_refuse_is_too(source: list[Record]) -> None:
    """Unless it is in the dead letter; of a split record it may be the first part alone."""
    lost = [each for each in source if len(made(each)) == 2][3:5]
    gone = {origin_of(each) for each in lost}
    sink = [each for each in mirrored(source) if (each.headers[-1][1] or b"") not in gone]
    report, _ = await compared(source, sink)
    missing = {(each.identity.partition, each.identity.position) for each in report.differences[Kind.MISSING].first}
    assert counts(report) == {Kind.MISSING: len(lost) + sum(map(is_unfit, source))}
    assert {(each.partition, each.position) for each in lost} <= missing


async def test_doubled_reordered_and_foreign_records_are_found_whatever_they_hold(
    source: list[Record], letters: list[Record]
) -> None:
    """Identity and order are compared as ever."""
    sink = mirrored(source)
    firsts = [at for at, each in enumerate(sink) if is_first(each) and each.partition == "0"]
    doubled = [*sink, sink[firsts[-1]]]
    assert counts((await compared(source, doubled, letters))[0]) == {Kind.DOUBLED: 1}
    key = sink[firsts[0]].key
    late = next(at for at in firsts[1:] if sink[at].key == key)
    swapped = list(sink)
    swapped[firsts[0]], swapped[late] = sink[late], sink[firsts[0]]
    assert counts((await compared(source, swapped, letters))[0])[Kind.REORDERED] >= 1
    foreign = [*sink, replace(sink[0], headers=((ORIGIN_HEADER, f"{HERE}/0/99999>{THERE}".encode()),))]
    report, _ = await compared(source, foreign, letters)
    assert report.left_out["behind_range"] == 1
