"""Which record of the other side a record is, told by its headers."""

from bridge.migration.translation.sighting import Origin, sightings
from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Batch, Header, Place
from tests.bridge.migration.translation.shelves import STREAM, TOPIC

SHARD = "shardId-000000000000"
FROM_STREAM = (ORIGIN_HEADER, f"{STREAM}/{SHARD}/42#1>{TOPIC}".encode())


def met(*headers: Header) -> list[Origin | None]:
    """The origins of one record of the topic with these headers; none where it is passed over."""
    batch = Batch("0", Place("0"), ["0"], [b"key"], [b"value"], [1], [headers])
    return [each.origin for each in sightings(batch, TOPIC, STREAM)]


def test_the_last_hop_counts() -> None:
    """A chain of mirrors leaves one a hop, oldest first."""
    before = (ORIGIN_HEADER, f"kafka:other:orders/3/7>{STREAM}".encode())
    assert met(before, FROM_STREAM) == [Origin(SHARD, "42#1")]
    assert met(FROM_STREAM, (ORIGIN_HEADER, f"{TOPIC}/3/7>kafka:other:orders".encode())) == [None]


def test_headers_that_an_application_forwarded_are_no_origin() -> None:
    """The record is native here: the hop leads elsewhere, or comes from another stream, or is no hop at all."""
    elsewhere = (ORIGIN_HEADER, f"{STREAM}/{SHARD}/42>kafka:other:orders".encode())
    another = (ORIGIN_HEADER, f"{STREAM}-2/{SHARD}/42>{TOPIC}".encode())
    broken = (ORIGIN_HEADER, f"{STREAM}/42>{TOPIC}".encode())
    assert [met(elsewhere), met(another), met(broken), met((ORIGIN_HEADER, None)), met()] == [[None]] * 5


def test_what_was_sent_again_on_purpose_is_passed_over() -> None:
    """It is neither a native record nor a copy that anybody's place depends on."""
    assert met((REPLAY_HEADER, b"replay-1"), FROM_STREAM) == []
