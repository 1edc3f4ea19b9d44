"""Chains of origins: what came from where, and what would echo."""

from dataclasses import replace

from connectors import provenance
from connectors.base import ORIGIN_HEADER, PARTS_HEADER, REPLAY_HEADER, Batch, Header, Place
from connectors.provenance import Hop

STREAM = "kinesis:eu-west-1:123456789012:orders"
TOPIC = "kafka:cluster:orders"
THIRD = "kafka:elsewhere:orders"


def hop(source: str, position: str, destination: str) -> Header:
    return ORIGIN_HEADER, f"{source}/0/{position}>{destination}".encode()


def batch(*headers: tuple[Header, ...]) -> Batch:
    count = len(headers)
    positions = [str(number) for number in range(count)]
    return Batch("0", Place(str(count)), positions, [b"k"] * count, [b"v"] * count, [1] * count, headers)


def test_the_way_of_a_record_is_told_hop_by_hop() -> None:
    """Two hops, the oldest first."""
    headers = (("other", b"x"), hop(STREAM, "1", TOPIC), hop(TOPIC, "2", THIRD))
    assert provenance.way(headers, THIRD) == (Hop(STREAM, "0", "1", TOPIC), Hop(TOPIC, "0", "2", THIRD))


def test_headers_that_an_application_forwarded_are_no_way() -> None:
    """The last hop names another place than the one where the record is read: it is native there."""
    assert provenance.way((hop(STREAM, "1", TOPIC),), THIRD) == ()


def test_a_break_in_the_chain_ends_the_way() -> None:
    """What an application forwarded before the last mirror is a left-over, and does not count."""
    headers = (hop(STREAM, "1", TOPIC), hop(THIRD, "2", STREAM))
    assert provenance.way(headers, STREAM) == (Hop(THIRD, "0", "2", STREAM),)


def test_a_header_that_is_no_origin_is_no_error() -> None:
    """Anybody can write the header; what cannot be read counts as a break."""
    headers = ((ORIGIN_HEADER, b"\xff"), (ORIGIN_HEADER, None), (ORIGIN_HEADER, b"nonsense"))
    assert provenance.way(headers, STREAM) == ()


def test_a_record_that_was_in_the_sink_loops() -> None:
    """Directly, and by way of a third place; native and forwarded ones pass."""
    echo = (hop(TOPIC, "1", STREAM),)
    ring = (hop(TOPIC, "1", THIRD), hop(THIRD, "2", STREAM))
    other = (hop(THIRD, "1", STREAM),)
    forwarded = (hop(TOPIC, "1", THIRD),)
    assert provenance.looped(batch(echo, (), ring, other, forwarded), STREAM, TOPIC) == [0, 2]


def test_names_that_begin_alike_are_not_the_same_place() -> None:
    """The topic orders is not the topic orders-eu."""
    assert provenance.looped(batch((hop(f"{TOPIC}-eu", "1", STREAM),)), STREAM, TOPIC) == []


def test_the_last_origin_identifies_a_record_unless_it_was_replayed() -> None:
    """Source, partition and position of the last hop; nothing for native, forwarded and replayed records."""
    records = batch(
        (hop(THIRD, "7", TOPIC), hop(TOPIC, "8", STREAM)),
        (),
        (hop(TOPIC, "9", THIRD),),
        (hop(TOPIC, "10", STREAM), (REPLAY_HEADER, b"r1")),
    )
    assert provenance.last_origins(records, STREAM) == [f"{TOPIC}/0/8".encode(), None, None, None]


def test_the_first_part_of_a_split_record_says_how_many_there_are() -> None:
    """Neither the others nor a record that is whole do, and each has an origin of its own."""
    positions = ["4", "4", "4", "5"]
    split = replace(batch((), (), (), (("a", b"b"),)), positions=positions, parts=[0, 1, 2, 0])
    stamped = provenance.stamp(split, STREAM, TOPIC)
    records = list(stamped.records())
    assert [provenance.parts(each.headers) for each in records] == [3, 1, 1, 1]
    assert records[0].headers == ((PARTS_HEADER, b"3"), hop(STREAM, "4", TOPIC))
    assert [each.headers[-1] for each in records] == [hop(STREAM, at, TOPIC) for at in ("4", "4~1", "4~2", "5")]


def test_how_many_parts_an_earlier_hop_made_says_nothing_of_the_last() -> None:
    """The number belongs to the origin right behind it; what is no number is none."""
    first, second = hop(STREAM, "4", TOPIC), hop(TOPIC, "7", THIRD)
    assert provenance.parts(((PARTS_HEADER, b"3"), first, second)) == 1
    assert provenance.parts(((PARTS_HEADER, b"3"), first, (PARTS_HEADER, b"2"), second)) == 2
    assert provenance.parts(((PARTS_HEADER, b"many"), first)) == 1
    assert provenance.parts(((PARTS_HEADER, b"3"), first, ("added", b"behind it"))) == 3
    assert provenance.parts(((PARTS_HEADER, b"3"),)) == 1
