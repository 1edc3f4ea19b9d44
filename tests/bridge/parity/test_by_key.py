from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.parity.by_key import compare_by_key
from bridge.parity.chains import Chains, Share, key_hash
from bridge.parity.copies import Copies
from bridge.parity.digest import rank
from bridge.parity.expected import Ends
from bridge.parity.extents import everything
from bridge.parity.reading import Reader, Side
from bridge.parity.report import Findings, Identity, Kind
from bridge.parity.sequences import Item, name_differences
from bridge.parity.sides import Parity
from bridge.parity.skipped import Skipped
from connectors.base import DUAL_WRITE_HEADER, Batch, Clock, Header, Partition, Place, Record
from tests.bridge.parity.listed import ListedSource

RECORDS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10**9)), max_size=200)


def named(source: list[int], sink: list[int], *, in_order: bool = True) -> dict[Kind, int]:
    findings = Findings()
    first, second = ([Item(Identity("0", str(at)), each) for at, each in enumerate(side)] for side in (source, sink))
    name_differences(first, second, findings, in_order=in_order)
    return {kind: found.count for kind, found in findings.differences().items() if found.count}


@given(RECORDS, st.integers(1, 50))
def test_every_key_is_followed_in_some_pass_and_in_one_only(records: list[tuple[int, int]], most: int) -> None:
    """However few keys are followed at a time: nothing is left out, nothing counted twice."""
    hashed = [(key_hash(b"%d" % key), content) for key, content in records]
    shares, counted = [Share()], 0
    while shares:
        chains = Chains(shares.pop(), most)
        chains.add(hashed)
        assert len(chains.chains) <= most
        counted += chains.records
        shares += chains.left
    assert counted == len(records)


def test_a_chain_tells_the_order_but_not_where_there_is_no_key() -> None:
    """Two swapped records of a key differ; of no key, or of different ones, they do not."""
    key, other, none = key_hash(b"k"), key_hash(b"l"), key_hash(None)

    def differ(first: list[tuple[int, int]]) -> set[int]:
        one, two = Chains(Share()), Chains(Share())
        one.add(first)
        two.add(reversed(first))
        return one.differing(two)

    assert differ([(key, 1), (key, 2)]) == {key}
    assert differ([(key, 1), (other, 2)]) == set()
    assert differ([(none, 1), (none, 2)]) == set()


def test_differences_of_a_key_have_names() -> None:
    """What is lost, came twice, was changed, or comes too late."""
    whole = [1, 2, 3, 4, 5]
    assert named(whole, whole) == {}
    assert named(whole, [1, 2, 4, 5]) == {Kind.MISSING: 1}
    assert named(whole, [1, 2, 2, 3, 4, 5]) == {Kind.DOUBLED: 1}
    assert named(whole, [1, 9, 3, 4, 5]) == {Kind.ALTERED: 1}
    assert named(whole, [1, 2, 3, 4, 5, 9]) == {Kind.EXTRA: 1}
    assert named(whole, [1, 3, 2, 4, 5]) == {Kind.REORDERED: 1}
    assert named([1, 1, 2], [1, 2, 1]) == {Kind.REORDERED: 1}
    assert named([1, 2], [2, 1], in_order=False) == {}


def test_second_copies_of_a_dual_write_are_told_by_their_ids() -> None:
    """The first of each id stays, wherever the second comes; what has no id, or one that is none, stays too."""
    ids = [b"a/1", b"a/70000", b"b/1", b"a/1", b"none", b"none", b"b/1", b"a/2"]
    headers: list[tuple[Header, ...]] = [((DUAL_WRITE_HEADER, each),) for each in ids]
    positions = [str(number) for number in range(len(ids) + 1)]
    batch = Batch("0", Place(), positions, [b"k"] * 9, [b"v"] * 9, [0] * 9, [*headers, ()])
    copies = Copies()
    assert copies.without(batch).positions == ["0", "1", "2", "4", "5", "7", "8"]
    assert copies.count == 2
    assert copies.without(batch).positions == ["4", "5", "8"]


def _side(address: str, records: Sequence[Record]) -> Side:
    return Side(
        ListedSource(address, {Partition("0"): records}), ByteBudget(1_000), Clock(), lambda: Backoff(Random(1))
    )


async def test_what_an_operator_skipped_is_not_missing() -> None:
    """Told by where it stands at the source; what else is not there is missing."""
    source = [Record("0", str(at), b"k%d" % (at % 3), b"v%d" % at, at) for at in range(12)]
    sink = [replace(each, position=str(at)) for at, each in enumerate(source[:4] + source[7:9] + source[10:])]

    async def look_up_skipped() -> Skipped:
        return Skipped({"0": [range(rank("4"), rank("6") + 1)]})

    here, there = _side("kafka:here:source", source), _side("kafka:there:sink", sink)
    ends = Ends(here.source.address, there.source.address)
    parity = Parity(here, there, ends, keys_overtake=True, permits_copies=False, skipped=look_up_skipped)
    report = await compare_by_key(parity, await everything(here), partial(everything, there))
    assert [str(each.identity) for each in report.differences[Kind.MISSING].first] == ["kafka:here:source/0/9"]
    assert (report.left_out, report.source_records, report.sink_records) == ({"skipped": 3}, 9, 8)


async def test_a_record_with_a_dead_letter_is_not_missing() -> None:
    """Told by what it holds, less what the letter says of its reason; a letter stands for one record."""
    source = [Record("0", str(at), b"k", value, at) for at, value in enumerate([b"a", b"b", b"b", b"c", b"b", b"d"])]
    reason: tuple[Header, ...] = (("kmbridge-reason", b"headers"),)
    buried = [
        Record("0", str(at), b"k", value, at, reason) for at, value in enumerate([b"b", b"a", b"b", b"never there"])
    ]
    here, there, aside = _side("kafka:here:s", source), _side("kafka:there:t", source[3:4]), _side("kafka:a:d", buried)

    async def letters(reader: Reader) -> None:
        await aside.read(await everything(aside), reader)

    ends = Ends(here.source.address, there.source.address)
    parity = Parity(here, there, ends, keys_overtake=True, permits_copies=False, skipped=_none, letters=letters)
    report = await compare_by_key(parity, await everything(here), partial(everything, there))
    missing = [str(each.identity) for each in report.differences[Kind.MISSING].first]
    assert missing == ["kafka:here:s/0/4", "kafka:here:s/0/5"]
    assert (report.left_out, report.source_records, report.sink_records) == ({"dead_letter": 3}, 6, 1)


async def _none() -> Skipped:
    return Skipped()
