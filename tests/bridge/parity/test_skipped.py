"""What a mirror's checkpoints tell of records that an operator let lanes pass."""

from bridge.parity.skipped import skipped
from checkpoints.base import Checkpoint, Gap
from tests.bridge.parity.listed import ListedSource

SOURCE = ListedSource("kafka:here:source", {})


def _checkpoint(*gaps: Gap, source: str = "") -> Checkpoint:
    return Checkpoint("99", None, finished=False, saved_ms=1, source=source, sink="", gaps=gaps)


def _skip(first: str, last: str) -> Gap:
    return Gap(first, last, "skipped by a person", 1, records=3)


def test_what_was_skipped_is_covered_from_its_first_record_to_its_last() -> None:
    """Both included, in that partition alone, and what stands inside of aggregates by its place there."""
    found = skipped({"a": _checkpoint(_skip("5", "7"), _skip("9#2", "10#0")), "b": _checkpoint()}, SOURCE)
    inside = ["5", "6", "7", "7#3", "9#2", "9#3", "10#0"]
    outside = ["4", "4#9", "8", "9", "9#1", "10#1", "11"]
    assert [at for at in [*inside, *outside] if found.covers("a", at)] == inside
    assert not any(found.covers(name, "6") for name in ("b", "c"))


def test_a_loss_at_the_source_excuses_nothing() -> None:
    """Neither side holds those records; what else is missing there is missing, whatever the gap names."""
    lost = [Gap("5", "9", "expired", 1), Gap("2026-11-26T10:00:00Z", "the beginning of the new one", "gone", 1)]
    assert not skipped({"a": _checkpoint(*lost)}, SOURCE).covers("a", "6")


def test_a_checkpoint_of_another_source_excuses_nothing() -> None:
    """Of a topic that was made anew the same positions are other records."""
    assert SOURCE.identity
    assert not skipped({"a": _checkpoint(_skip("5", "7"), source="another")}, SOURCE).covers("a", "6")
    assert skipped({"a": _checkpoint(_skip("5", "7"), source=SOURCE.identity)}, SOURCE).covers("a", "6")
