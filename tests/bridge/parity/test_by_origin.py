"""The two passes over sources in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine import window
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.errors import BridgeError
from bridge.parity import expected, fold, second_pass
from bridge.parity.by_origin import compare_by_origin
from bridge.parity.comparison import compare
from bridge.parity.digest import rank
from bridge.parity.expected import Ends
from bridge.parity.extents import everything
from bridge.parity.reading import Extent, Reader, Side
from bridge.parity.report import Kind, ParityReport
from bridge.parity.run import Run
from bridge.parity.sides import Parity
from bridge.parity.skipped import Skipped
from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Clock, End, Header, Partition, Place, Record
from tests.bridge.parity.listed import ListedSource

HERE, THERE = "kafka:here:source", "kafka:there:sink"
ENDS = Ends(HERE, THERE)
NOTHING = Skipped()
PARTS = (Partition("0"), Partition("1"))
FAULTS = st.lists(st.sampled_from(["lose", "double", "swap", "alter", "header", "elsewhere"]), max_size=6)


def origin(record: Record) -> Header:
    return (ORIGIN_HEADER, f"{HERE}/{record.partition}/{record.position}>{THERE}".encode())


def source_records(count: int, keys: int) -> list[Record]:
    """Those of a key in one partition, every fifth a tombstone."""
    made: list[Record] = []
    sizes = [0, 0]
    for number in range(count):
        key = number % keys
        part = key % 2
        value = None if number % 5 == 4 else b"value %d" % number
        made.append(Record(str(part), str(sizes[part]), b"key %d" % key, value, number, (("n", b"%d" % number),)))
        sizes[part] += 1
    return made


def mirrored(records: Sequence[Record]) -> list[Record]:
    """In one order, as they go to the sink; the partition is that of the sink."""
    return [replace(each, headers=(*each.headers, origin(each))) for each in records]


def plant(fault: str, sink: list[Record], random: Random) -> None:
    index = random.randrange(len(sink))
    found = sink[index]
    match fault:
        case "lose":
            del sink[index]
        case "double":
            sink.insert(random.randrange(index, len(sink)) + 1, found)
        case "swap":
            other = random.randrange(len(sink))
            sink[index], sink[other] = sink[other], sink[index]
        case "alter":
            sink[index] = replace(found, value=b"other")
        case "header":
            sink[index] = replace(found, headers=(("n", None), *found.headers))
        case _:
            sink.insert(index, replace(found, headers=((ORIGIN_HEADER, b"kafka:x:y/0/0>" + THERE.encode()),)))


def by_partition(records: Sequence[Record]) -> dict[Partition, list[Record]]:
    return {part: [record for record in records if record.partition == part.id] for part in PARTS}


def proved(
    source: Sequence[Record],
    sink: Sequence[Record],
    *,
    overtake: bool,
    repeats: bool = False,
    among: Sequence[Partition] | None = None,
) -> ParityReport:
    """``among`` are the only partitions that are meant, if not all."""

    def side(address: str, records: Sequence[Record]) -> Side:
        listed = ListedSource(address, by_partition(records))
        return Side(listed, ByteBudget(1_000), Clock(), lambda: Backoff(Random(1)))

    async def compared() -> ParityReport:
        ends = Ends(HERE, THERE, repeats=repeats)
        parity = Parity(side(HERE, source), side(THERE, sink), ends, keys_overtake=overtake, permits_copies=False)
        extent = await everything(parity.source)
        if among is not None:
            extent = Extent(tuple(among), {}, extent.ends)
        return (await compare_by_origin(parity, extent, partial(everything, parity.sink))).report

    return asyncio.run(compared())


def counts(report: ParityReport) -> dict[Kind, int]:
    return {kind: found.count for kind, found in report.differences.items() if found.count}


def reference(source: Sequence[Record], sink: Sequence[Record]) -> dict[Kind, int]:
    """What a comparison of everything at once finds."""
    ours = [record for record in sink if (record.headers[-1][1] or b"").startswith(HERE.encode())]
    found = compare(
        [_run(each, each.partition, each.position, each.headers) for each in source],
        [_run(each, *_place(each), each.headers[:-1]) for part in PARTS for each in by_partition(ours)[part]],
    )
    wanted = counts(found)
    if others := len(sink) - len(ours):
        wanted[Kind.EXTRA] = wanted.get(Kind.EXTRA, 0) + others
    return wanted


def _place(record: Record) -> tuple[str, str]:
    _, partition, position = (record.headers[-1][1] or b"").decode().partition(">")[0].rsplit("/", 2)
    return partition, position


def _run(record: Record, partition: str, position: str, headers: tuple[Header, ...]) -> Run:
    return Run(partition, record.partition, [position], ["0"], [record.key], [record.value], [headers])


@given(
    count=st.integers(1, 60),
    keys=st.integers(1, 7),
    faults=FAULTS,
    random=st.randoms(use_true_random=False),
    overtake=st.booleans(),
    size=st.sampled_from([4, 32]),
)
def test_two_passes_find_what_a_comparison_of_everything_finds(
    *, count: int, keys: int, faults: list[str], random: Random, overtake: bool, size: int
) -> None:
    """Whatever is planted, in whatever mixture: the same differences, as often."""
    source = source_records(count, keys)
    sink = mirrored(source)
    for fault in faults:
        if sink:
            plant(fault, sink, random)
    with pytest.MonkeyPatch.context() as patch:
        # As many ranges and second readings as if there were a thousand times as many records, or ranges that are too
        # large to be remembered.
        patch.setattr(fold, "_FIRST_SIZE", size)
        patch.setattr(second_pass, "_AT_ONCE", 20)
        assert counts(proved(source, sink, overtake=overtake)) == reference(source, sink)


def test_nothing_is_read_again_where_nothing_differs() -> None:
    """The second pass costs what differs."""
    source = source_records(50, 7)
    report = proved(source, mirrored(source), overtake=False)
    assert (report.equal, report.reread, report.source_records, report.sink_records) == (True, 0, 50, 50)


def test_what_was_sent_again_on_purpose_is_invisible() -> None:
    """At the source and in the sink."""
    source = source_records(10, 2)
    replayed = (REPLAY_HEADER, b"some-id")
    again = [replace(each, headers=(*each.headers, replayed)) for each in mirrored(source)[:3]]
    source[4] = replace(source[4], headers=(replayed,))
    sink = mirrored([each for each in source if each is not source[4]])
    report = proved(source, [*sink, *again], overtake=False)
    assert (report.equal, dict(report.left_out)) == (True, {"replayed": 1, "replayed_in_sink": 3})


@pytest.mark.parametrize("mirrors", [0, 1])
def test_a_second_copy_at_the_source_is_not_missing(mirrors: int) -> None:
    """A mirror writes the first copy; one that wrote the second too has doubled it."""
    source = source_records(8, 1)
    before = (ORIGIN_HEADER, f"kafka:before:first/0/7>{HERE}".encode())
    source[2] = replace(source[2], headers=(before,))
    source.insert(5, replace(source[2]))
    source = [replace(each, position=str(index)) for index, each in enumerate(source)]
    sink = mirrored([each for index, each in enumerate(source) if index != 5 or mirrors])
    report = proved(source, sink, overtake=False, repeats=True)
    assert report.left_out["duplicate"] == 1
    assert counts(report) == ({Kind.DOUBLED: 1} if mirrors else {})


@pytest.mark.parametrize("mirrored_first", [True, False])
def test_a_range_that_begins_between_two_copies_lacks_neither(*, mirrored_first: bool) -> None:
    """The sink holds the first, which lies before the range; where it does not, the second is missing."""
    source = source_records(8, 1)
    before = (ORIGIN_HEADER, f"kafka:before:first/0/7>{HERE}".encode())
    source[2] = replace(source[2], headers=(before,))
    source[5] = replace(source[2], position="5")
    left_out = {5} if mirrored_first else {2, 5}
    sink = ListedSource(THERE, by_partition([each for at, each in enumerate(mirrored(source)) if at not in left_out]))
    extent = Extent(PARTS, {"0": Place("3")}, {"0": End(position="7"), "1": End(position="-1")}, follows=True)
    report = asyncio.run(compared_with(source, sink, replace(ENDS, repeats=True), extent))
    found = {} if mirrored_first else {Kind.MISSING: 1}
    assert (counts(report), report.left_out.get("duplicate", 0)) == (found, int(mirrored_first))
    assert report.source_records == (3 if mirrored_first else 4)


def test_two_missing_records_with_one_first_copy_are_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second lies so far behind that no mirror leaves it out; both are counted, whatever the sink holds."""
    monkeypatch.setattr(window, "SIZE", 1)
    source = source_records(8, 1)
    copied = (ORIGIN_HEADER, f"kafka:before:first/0/7>{HERE}".encode())
    other = (ORIGIN_HEADER, f"kafka:before:first/0/8>{HERE}".encode())
    source[2] = replace(source[2], headers=(copied,))
    source[5] = replace(source[2], position="5")
    source[6] = replace(source[6], headers=(other,))
    source[7] = replace(source[2], position="7")
    sink = ListedSource(THERE, by_partition([each for at, each in enumerate(mirrored(source)) if at not in (5, 7)]))
    extent = Extent(PARTS, {"0": Place("3")}, {"0": End(position="7"), "1": End(position="-1")}, follows=True)
    report = asyncio.run(compared_with(source, sink, replace(ENDS, repeats=True), extent))
    assert counts(report) == {Kind.MISSING: 1}


def test_of_partitions_that_are_not_meant_nothing_is_said() -> None:
    """What comes from them is no record too much; of the others all that differs is named."""
    source = source_records(20, 4)
    sink = mirrored(source)
    report = proved(source, sink, overtake=False, among=PARTS[:1])
    assert (report.equal, report.source_records, dict(report.left_out)) == (True, 10, {"other_partitions": 10})
    missing = next(index for index, each in enumerate(sink) if each.partition == PARTS[0].id)
    assert counts(proved(source, sink[:missing] + sink[missing + 1 :], overtake=False, among=PARTS[:1])) == {
        Kind.MISSING: 1
    }


def test_what_a_shard_that_was_split_meanwhile_brought_is_behind_the_range() -> None:
    """Its children were not there when the source was read; a partition that never was stays one too much."""
    source = source_records(12, 2)
    child = Partition("2", (PARTS[1].id,))
    late = replace(source[1], partition=child.id, position="0", headers=())

    async def compared(partition: Partition) -> ParityReport:
        listed = ListedSource(HERE, by_partition(source))
        stranger = mirrored([replace(late, partition=partition.id)])
        # The sink has two partitions, whatever the origins are.
        there = ListedSource(THERE, by_partition([*mirrored(source), replace(stranger[0], partition=PARTS[1].id)]))

        def side(of: ListedSource) -> Side:
            return Side(of, ByteBudget(1_000), Clock(), lambda: Backoff(Random(1)))

        parity = Parity(side(listed), side(there), Ends(HERE, THERE), keys_overtake=False, permits_copies=False)
        extent = await everything(parity.source)

        async def split_and_look() -> Extent:
            listed.add(child, [late])
            return await everything(parity.sink)

        return (await compare_by_origin(parity, extent, split_and_look)).report

    report = asyncio.run(compared(child))
    assert (report.equal, dict(report.left_out)) == (True, {"behind_range": 1})
    assert counts(asyncio.run(compared(Partition("never")))) == {Kind.EXTRA: 1}


@pytest.mark.parametrize("is_whole", [True, False])
def test_the_sinks_own_records_are_judged_by_the_whole_source_alone(*, is_whole: bool) -> None:
    """A mirror the other way may have brought them there before, or after, the range; what was brought is judged."""
    source, own = source_records(12, 2), Record("0", "0", b"own", b"native", 1)
    brought = replace(own, headers=((ORIGIN_HEADER, b"kafka:x:y/0/0>" + THERE.encode()),))
    sink = ListedSource(THERE, by_partition([*mirrored(source), own, brought]))
    ends = {"0": End(position="5"), "1": End(position="5")}
    extent = Extent(PARTS, {}, ends, follows=True, is_whole=is_whole)
    report = asyncio.run(compared_with(source, sink, extent=extent))
    assert counts(report) == {Kind.EXTRA: 2 if is_whole else 1}
    assert report.left_out.get("native", 0) == (0 if is_whole else 1)


def test_a_key_goes_on_behind_a_shard_that_holds_nothing_of_it() -> None:
    """What is named missing is read again from the first shard to the last of a line, one after the other."""
    source = [replace(each, partition="0", key=b"one") for each in source_records(40, 1)]
    first, between, last = Partition("a"), Partition("b", ("a",)), Partition("c", ("b",))
    there = mirrored(source)
    held = {last: [replace(there[39], partition="c")], between: [], first: there[:38]}
    report = asyncio.run(compared_with(source, ListedSource(THERE, held)))
    assert counts(report) == {Kind.MISSING: 1}


def test_a_record_that_has_two_letters_is_one_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither missing nor in the sink; what has none is missing beside it."""
    monkeypatch.setattr(fold, "_FIRST_SIZE", 4)
    source = source_records(12, 1)
    there = mirrored(source)
    letters = [there[3], there[9], there[3]]
    sink = ListedSource(THERE, by_partition([each for at, each in enumerate(there) if at not in (3, 9)]))
    report = asyncio.run(compared_with(source, sink, letters=letters))
    assert (counts(report), dict(report.left_out)) == ({}, {"dead_letter": 2})
    assert (report.source_records, report.sink_records, report.reread) == (12, 10, 1)
    sink = ListedSource(THERE, by_partition([each for at, each in enumerate(there) if at not in (2, 3, 9)]))
    report = asyncio.run(compared_with(source, sink, letters=letters))
    assert (counts(report), dict(report.left_out)) == ({Kind.MISSING: 1}, {"dead_letter": 2})


def test_more_records_from_the_sink_than_can_be_remembered_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own records those that cannot be known again are no difference, and have a number of their own."""
    monkeypatch.setattr(expected, "_REMEMBERED", 2)
    source, own = source_records(6, 1), [Record("0", str(at), b"own", b"%d" % at, 1) for at in range(5)]
    loops = [
        replace(each, headers=((ORIGIN_HEADER, f"{THERE}/0/{each.position}>{HERE}".encode()),)) for each in own[:4]
    ]
    sink = ListedSource(THERE, by_partition([*own, *mirrored(source)]))
    report = asyncio.run(compared_with([*source, *loops], sink))
    assert (counts(report), dict(report.left_out)) == ({}, {"loop": 4, "native": 2, "native_unjudged": 3})


def test_what_an_operator_skipped_is_not_missing_and_what_lies_beside_it_is() -> None:
    """It is counted by its reason instead; of those skipped the sink may hold some all the same."""
    source = source_records(60, 5)
    (name,) = {each.partition for each in source[:1]}
    own = [each for each in source if each.partition == name]
    passed, beside = own[2:6], own[8]
    sink = ListedSource(THERE, by_partition(mirrored([each for each in source if each not in [*passed[1:], beside]])))
    spans = Skipped({name: [range(rank(passed[0].position), rank(passed[-1].position) + 1)]})
    report = asyncio.run(compared_with(source, sink, skipped=spans))
    assert (counts(report), dict(report.left_out)) == ({Kind.MISSING: 1}, {"skipped": 3})
    assert report.differences[Kind.MISSING].first[0].identity.position == beside.position
    assert (report.source_records, report.sink_records) == (57, 56)


def test_more_second_copies_than_can_be_remembered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of a range that cannot be read a second time as it was read first; the cause tells the way."""
    monkeypatch.setattr(expected, "_REMEMBERED", 2)
    copied = (ORIGIN_HEADER, f"kafka:before:first/0/7>{HERE}".encode())
    source = [replace(each, headers=(copied,)) for each in [source_records(1, 1)[0]] * 4]
    sink = ListedSource(THERE, by_partition(mirrored(source[:1])))
    with pytest.raises(BridgeError, match="more than 2 second copies"):
        asyncio.run(compared_with(source, sink, replace(ENDS, repeats=True)))


async def compared_with(
    source: Sequence[Record],
    sink: ListedSource,
    ends: Ends = ENDS,
    extent: Extent | None = None,
    letters: Sequence[Record] = (),
    skipped: Skipped = NOTHING,
) -> ParityReport:
    """With whatever partitions ``sink`` has, as a stream lets keys overtake; ``extent`` None is all of ``source``."""
    buried = ListedSource("file:letters", {PARTS[0]: letters})

    def side(of: ListedSource) -> Side:
        return Side(of, ByteBudget(1_000), Clock(), lambda: Backoff(Random(1)))

    async def read_letters(reader: Reader) -> None:
        await side(buried).read(await everything(side(buried)), reader)

    async def look_up_skipped() -> Skipped:
        return skipped

    here = side(ListedSource(HERE, by_partition(source)))
    parity = Parity(
        here,
        side(sink),
        ends,
        keys_overtake=True,
        permits_copies=False,
        letters=read_letters,
        skipped=look_up_skipped,
    )
    asked = extent or await everything(parity.source)
    return (await compare_by_origin(parity, asked, partial(everything, parity.sink))).report
