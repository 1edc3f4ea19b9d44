from collections.abc import Callable

import pytest

from bridge.parity.report import Kind, ParityReport
from tests.bridge.parity.sides import Mirrored, compared, records

Sink = list[Mirrored]


def counts(report: ParityReport) -> dict[Kind, int]:
    return {kind: found.count for kind, found in report.differences.items() if found.count}


def test_equal_sides_are_equal() -> None:
    """The same records in the same order per key are parity, and every key counts as checked."""
    report = compared(records(), records())
    assert report.equal
    assert (report.source_records, report.sink_records, report.keys) == (60, 60, 6)
    assert report.rows() == []


def test_nothing_is_equal_to_nothing() -> None:
    """Two empty sides do not differ."""
    assert compared([], []).equal


def test_the_order_between_keys_does_not_matter() -> None:
    """Keys may overtake each other, and places may be read one after the other."""
    sink = sorted(records(), key=lambda record: (record.place, record.key))
    assert compared(records(), sink).equal


def lose(sink: Sink) -> None:
    del sink[7]


def lose_the_last(sink: Sink) -> None:
    del sink[-1]


def repeat(sink: Sink) -> None:
    sink.insert(9, sink[8])


def repeat_a_stretch(sink: Sink) -> None:
    sink[20:20] = sink[14:20]


def invent(sink: Sink) -> None:
    sink.append(sink[0].but(position="4711"))


def swap_within_a_key(sink: Sink) -> None:
    sink[6], sink[12] = sink[12], sink[6]


def scatter_a_key(sink: Sink) -> None:
    sink[59] = sink[59].but(place="partition-0")


def change_a_byte(sink: Sink) -> None:
    sink[3] = sink[3].but(value=b"Value 3")


def change_the_key(sink: Sink) -> None:
    sink[3] = sink[3].but(key=b"key-9")


def change_a_header(sink: Sink) -> None:
    sink[3] = sink[3].but(headers=(("trace", b"1"), ("trace", b"")))


def swap_headers(sink: Sink) -> None:
    sink[3] = sink[3].but(headers=(("trace", None), ("trace", b"1")))


def empty_a_value(sink: Sink) -> None:
    sink[3] = sink[3].but(value=None)


PLANTED = [
    (lose, {Kind.MISSING: 1}),
    (lose_the_last, {Kind.MISSING: 1}),
    (repeat, {Kind.DOUBLED: 1}),
    (repeat_a_stretch, {Kind.DOUBLED: 6}),
    (invent, {Kind.EXTRA: 1}),
    (swap_within_a_key, {Kind.REORDERED: 1}),
    (scatter_a_key, {Kind.REORDERED: 1}),
    (change_a_byte, {Kind.ALTERED: 1}),
    (change_the_key, {Kind.ALTERED: 1}),
    (change_a_header, {Kind.ALTERED: 1}),
    (swap_headers, {Kind.ALTERED: 1}),
    (empty_a_value, {Kind.ALTERED: 1}),
]


@pytest.mark.parametrize(("plant", "found"), PLANTED)
def test_every_planted_difference_is_found_and_nothing_else(
    plant: Callable[[Sink], None], found: dict[Kind, int]
) -> None:
    """One fault gives one finding of its kind."""
    sink = records()
    plant(sink)
    report = compared(records(), sink)
    assert not report.equal
    assert counts(report) == found


def test_differences_planted_together_are_all_found() -> None:
    """A fault does not hide another."""
    sink = records()
    for plant in (change_a_byte, swap_within_a_key, repeat_a_stretch, lose_the_last, invent):
        plant(sink)
    assert counts(compared(records(), sink)) == {
        Kind.ALTERED: 1,
        Kind.REORDERED: 1,
        Kind.DOUBLED: 6,
        Kind.MISSING: 1,
        Kind.EXTRA: 1,
    }


def test_two_values_exchanged_are_two_alterations() -> None:
    """The sum of all digests cannot be kept by exchanging contents: a digest covers the record's identity."""
    sink = records()
    sink[3], sink[9] = sink[3].but(value=sink[9].value), sink[9].but(value=sink[3].value)
    assert counts(compared(records(), sink)) == {Kind.ALTERED: 2}


def test_records_without_a_key_have_no_order() -> None:
    """They may arrive anywhere in any order."""
    keyless = [record.but(key=None) for record in records()]
    scattered = [record.but(place=str(number % 5)) for number, record in enumerate(reversed(keyless))]
    assert compared(keyless, scattered).equal


def test_headers_of_the_bridge_are_no_part_of_a_record() -> None:
    """Provenance, which only one side carries, is no difference."""
    sink = [record.but(headers=(*record.headers, ("kmbridge-origin", b"x"))) for record in records()]
    assert compared(records(), sink).equal


def test_a_report_names_the_first_twenty_and_counts_all() -> None:
    """A great loss stays readable, in the document and in the table."""
    report = compared(records(100), records(10))
    document = report.to_json()
    assert report.differences[Kind.MISSING].count == 90
    assert isinstance(document["differences"], dict)
    missing = document["differences"]["missing"]
    assert missing["count"] == 90
    assert missing["first"] == [f"shard-{number % 6 % 3}/{95 + number}" for number in range(10, 30)]
    assert document["equal"] is False
    ((kind, count, named),) = report.rows()
    assert (kind, count, named.count(", ")) == ("missing", "90", 19)
