"""Records that were split: how many parts the sink has to hold of each, which of them, and in which order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity import fold, second_pass
from bridge.parity.comparison import compare
from bridge.parity.report import Kind, ParityReport
from bridge.parity.run import Run, Transformed
from bridge.parity.skipped import Skipped
from bridge.transforms.filter import Filter
from connectors import provenance
from connectors.base import ORIGIN_HEADER, PARTS_HEADER, Record
from connectors.provenance import Hop
from tests.bridge.parity.test_by_origin import FAULTS, HERE, NOTHING, PARTS, by_partition, counts, plant, source_records
from tests.bridge.parity.test_by_origin import proved as proved_as_they_are
from tests.bridge.parity.test_transformed import compared_by, headers_of, origin_of

SOURCE = source_records(24, 4)
"""Of each key in one partition every second."""
NOTHING_LEFT, ALL_LEFT = Filter("false"), Filter("true")


def mirrored(source: Sequence[Record]) -> list[Record]:
    """Of every record up to four parts, the second of them with another key."""
    return [
        replace(each, key=(each.key or b"") + (b"-other" if part == 1 else b""), headers=headers_of(each, part, count))
        for each in source
        for count in [each.timestamp_ms % 4 + 1]
        for part in range(count)
    ]


def proved(sink: Sequence[Record], letters: Sequence[Record] = (), skipped: Skipped = NOTHING) -> ParityReport:
    """By steps that would drop whatever they were asked for."""
    return asyncio.run(compared_by(NOTHING_LEFT, SOURCE, sink, letters, skipped))


def found(report: ParityReport) -> dict[Kind, list[str]]:
    """What differs, as ``PARTITION/POSITION~n``."""
    return {
        kind: [str(each.identity).removeprefix(f"{HERE}/") for each in difference.first]
        for kind, difference in report.differences.items()
        if difference.count
    }


def hop_of(record: Record) -> Hop:
    return provenance.parse(record.headers[-1][1] or b"")


def name_of(record: Record) -> str:
    """``PARTITION/POSITION~n``."""
    return f"{hop_of(record).partition}/{hop_of(record).identity}"


def named(name: str, sink: Sequence[Record]) -> Record:
    return next(each for each in sink if name_of(each) == name)


def without(sink: Sequence[Record], *names: str) -> list[Record]:
    return [each for each in sink if name_of(each) not in names]


def numbered_anew(sink: Sequence[Record], name: str, count: int) -> list[Record]:
    """The first part of that name says that there are ``count``."""
    told = ((PARTS_HEADER, b"%d" % count),) if count > 1 else ()
    return [replace(each, headers=(*told, each.headers[-1])) if name_of(each) == name else each for each in sink]


def test_all_parts_in_their_order_are_equal_and_nothing_is_read_again() -> None:
    """They are counted, and neither asked of the steps nor looked at twice."""
    report = proved(mirrored(SOURCE))
    assert (report.equal, report.reread, report.source_records, report.sink_records) == (True, 0, 24, 24)
    assert report.parts == len(mirrored(SOURCE)) - 24


@pytest.mark.parametrize("lost", [["1/3~1"], ["1/3~3"], ["1/3~1", "1/3~2", "1/3~3"]])
def test_parts_that_are_not_there_are_missing(lost: list[str]) -> None:
    """Each by its number; also where the first is all that is left."""
    assert found(proved(without(mirrored(SOURCE), *lost))) == {Kind.MISSING: lost}


def test_a_record_of_which_there_are_parts_was_not_dropped() -> None:
    """Whatever the steps say now: its first part is missing, and those that stand before one that is there."""
    report = proved(without(mirrored(SOURCE), "1/3", "1/3~2"))
    assert (found(report), report.left_out) == ({Kind.MISSING: ["1/3", "1/3~2"]}, {})


def test_parts_that_are_there_twice_are_doubled() -> None:
    """The first one too; what a run of all of them twice shows is as many copies as it has parts."""
    sink = mirrored(SOURCE)
    assert found(proved([*sink, named("1/11~2", sink)])) == {Kind.DOUBLED: ["1/11~2"]}
    again = [each for each in sink if hop_of(each).partition == "1" and hop_of(each).position == "11"]
    assert found(proved([*sink, *again])) == {Kind.DOUBLED: [name_of(each) for each in again]}


def test_parts_of_one_key_in_another_order_are_reordered() -> None:
    """Those of other keys may stand anywhere."""
    sink = mirrored(SOURCE)
    moved = [*without(sink, "1/11~2"), named("1/11~2", sink)]
    assert found(proved(moved)) == {Kind.REORDERED: ["1/11~2"]}
    assert proved([*without(sink, "1/11~1"), named("1/11~1", sink)]).equal


def test_a_step_that_made_another_number_the_second_time_is_told() -> None:
    """More parts than the first one says are extra; two first ones that differ in that are altered."""
    sink = mirrored(SOURCE)
    assert found(proved(numbered_anew(sink, "1/11", 2))) == {Kind.EXTRA: ["1/11~2", "1/11~3"]}
    assert found(proved(numbered_anew(sink, "1/11", 1))) == {Kind.EXTRA: ["1/11~1", "1/11~2", "1/11~3"]}
    again = numbered_anew([named("1/11", sink), named("1/11~1", sink)], "1/11", 2)
    assert found(proved([*sink, *again])) == {Kind.DOUBLED: ["1/11", "1/11~1"], Kind.ALTERED: ["1/11"]}
    more = numbered_anew([named("1/11", sink)], "1/11", 6)
    assert found(proved([*sink, *more]))[Kind.MISSING] == ["1/11~4", "1/11~5"]


def test_parts_of_a_record_that_the_source_does_not_hold_are_extra() -> None:
    """All of them, by their numbers."""
    sink = mirrored(SOURCE)
    strange = replace(SOURCE[0], partition="9", position="0")
    parts = [replace(sink[0], headers=headers_of(strange, part, 2)) for part in range(2)]
    assert found(proved([*sink, *parts])) == {Kind.EXTRA: ["9/0", "9/0~1"]}


def test_parts_that_a_letter_or_an_operator_accounts_for_are_not_missing() -> None:
    """A broker took some before it refused another; the letter is no part, whatever was written on it before."""
    record = next(each for each in SOURCE if (each.partition, each.position) == ("1", "3"))
    partial = without(mirrored(SOURCE), "1/3~3")
    before = (PARTS_HEADER, b"7"), (ORIGIN_HEADER, b"kafka:a:b/0/0>" + HERE.encode())
    letter = replace(record, headers=(*before, (ORIGIN_HEADER, origin_of(record))))
    report = proved(partial, [letter])
    assert (report.equal, report.left_out) == (True, {"dead_letter": 1})
    report = proved(partial, skipped=Skipped({"1": [range(3 << 32, 4 << 32)]}))
    assert (report.equal, report.source_records) == (True, 24)


def test_without_steps_parts_are_too_many() -> None:
    """A mirror that writes records as they are makes none, whoever says so."""
    sink = [replace(each, headers=(*each.headers, *headers_of(each, part, 2))) for each in SOURCE for part in range(2)]
    assert counts(proved_as_they_are(SOURCE, sink, overtake=False)) == {Kind.EXTRA: 24}


@given(
    faults=FAULTS,
    random=st.randoms(use_true_random=False),
    overtake=st.booleans(),
    size=st.sampled_from([2, 16]),
)
def test_two_passes_find_what_a_comparison_of_everything_finds(
    *, faults: list[str], random: Random, overtake: bool, size: int
) -> None:
    """Whatever is planted among parts, in whatever mixture: the same differences, as often."""
    sink = mirrored(SOURCE)
    for fault in faults:
        plant(fault, sink, random)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold, "_FIRST_SIZE", size)
        patch.setattr(second_pass, "_AT_ONCE", 20)
        report = asyncio.run(compared_by(ALL_LEFT, SOURCE, sink, overtake=overtake))
    assert counts(report) == reference(sink)


def reference(sink: Sequence[Record]) -> dict[Kind, int]:
    ours = [record for record in sink if (record.headers[-1][1] or b"").startswith(HERE.encode())]
    wanted = counts(
        compare(
            [_run(each, each.partition, each.position) for each in SOURCE],
            [_in_sink(each) for part in PARTS for each in by_partition(ours)[part]],
        )
    )
    if others := len(sink) - len(ours):
        wanted[Kind.EXTRA] = wanted.get(Kind.EXTRA, 0) + others
    return wanted


def _in_sink(record: Record) -> Run:
    hop = hop_of(record)
    return _run(record, hop.partition, hop.position, int(hop.part.removeprefix("~") or 0))


def _run(record: Record, partition: str, position: str, part: int = 0) -> Run:
    counts = [provenance.parts(record.headers)]
    return Transformed(
        partition, record.partition, [position], ["0"], [record.key], [record.value], None, [part], counts
    )
