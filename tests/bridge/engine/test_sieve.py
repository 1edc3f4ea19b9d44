"""What a lane leaves out, and counts: echoes, second copies, what had been written before."""

from types import SimpleNamespace
from typing import Any

from bridge.engine.policy import OnLoop
from bridge.engine.sieve import DUPLICATE, LOOP, READ_BACK, Landed, Sieve
from connectors.base import ORIGIN_HEADER, Batch, Header, Place

STREAM = "kinesis:r:a:orders"
TOPIC = "kafka:c:orders"
ELSEWHERE = "kafka:d:orders"


def sieve(on_loop: OnLoop = OnLoop.SKIP) -> Sieve:
    source: Any = SimpleNamespace(address=STREAM, repeats=True)
    sink: Any = SimpleNamespace(address=TOPIC)
    return Sieve(source, sink, on_loop)


def came_from(place: str, offset: int) -> tuple[Header, ...]:
    return ((ORIGIN_HEADER, f"{place}/0/{offset}>{STREAM}".encode()),)


def batch(*headers: tuple[Header, ...], times: tuple[int, ...] | None = None, lag_ms: int = 1, first: int = 0) -> Batch:
    count = len(headers)
    positions = [str(first + number) for number in range(count)]
    return Batch(
        "shard",
        Place(positions[-1]),
        positions,
        [b"k"] * count,
        [b"v"] * count,
        times or [1] * count,
        headers,
        lag_ms=lag_ms,
        skipped={"kcl_range": 1},
    )


def test_each_reason_is_counted_beside_what_the_source_left_out() -> None:
    """An echo, a second copy, one that had landed; native ones pass, with place and order kept."""
    left = sieve()
    left.landed = Landed(0, {"3"})
    read = batch(came_from(TOPIC, 1), came_from(ELSEWHERE, 2), came_from(ELSEWHERE, 2), (), ())
    sifted = left.strain(left.sift(read))
    assert sifted.positions == ["1", "4"]
    assert sifted.place == read.place
    assert sifted.skipped == {"kcl_range": 1, LOOP: 1, DUPLICATE: 1, READ_BACK: 1}


def test_echoes_pass_where_a_lost_sink_is_restored() -> None:
    """That is what on_loop: pass is for."""
    read = batch(came_from(TOPIC, 1), ())
    assert len(sieve(OnLoop.PASS).sift(read)) == 2


def test_the_same_place_in_a_topic_made_anew_is_another_record() -> None:
    """Its time tells: nothing that came once is taken for a second copy."""
    left = sieve()
    assert len(left.sift(batch(came_from(ELSEWHERE, 1), times=(1000,)))) == 1
    assert len(left.sift(batch(came_from(ELSEWHERE, 1), times=(2000,), first=1))) == 1
    assert len(left.sift(batch(came_from(ELSEWHERE, 1), times=(2000,), first=2))) == 0


def test_what_had_landed_is_remembered_until_the_tip() -> None:
    """A fault on the way sends the lane back over it."""
    left = sieve()
    left.landed = Landed(0, {"0", "1"})
    first = batch((), ())
    assert len(left.strain(left.sift(first))) == 0
    left.settle(first)
    assert len(left.strain(left.sift(first))) == 0
    left.settle(batch((), lag_ms=0, first=2))
    assert left.landed is None
