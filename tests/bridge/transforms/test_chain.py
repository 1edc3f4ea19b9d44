"""Steps one after the other: what of a record goes on, and what of it cannot be lost."""

from collections.abc import Callable, Sequence
from typing import Self

import pytest

from bridge.telemetry.counters import Counters
from bridge.transforms.chain import Chain
from bridge.transforms.columns import rebuilt, records_of
from connectors.base import DUAL_WRITE_HEADER, ORIGIN_HEADER, REPLAY_HEADER, Batch, Clock, Record, Rejected
from connectors.transform import Transform, Transformed
from tests.bridge.transforms.batches import batch_of

Make = Callable[[Record], Sequence[Record] | None]
"""None of a record that cannot be taken."""


class Step(Transform):
    def __init__(self, make: Make, told: list[str] | None = None) -> None:
        self._make = make
        self.told = [] if told is None else told

    @property
    def name(self) -> str:
        return self._make.__name__

    async def __aenter__(self) -> Self:
        self.told.append(f"{self.name} opened")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.told.append(f"{self.name} closed")

    async def apply(self, batch: Batch) -> Transformed:
        answers = [self._make(record) for record in records_of(batch)]
        made = [(index, record) for index, answer in enumerate(answers) for record in answer or ()]
        rejected = tuple(Rejected(index, self.name, "") for index, answer in enumerate(answers) if answer is None)
        return Transformed(rebuilt(batch, made), {self.name: answers.count([])}, rejected)


def split(record: Record) -> list[Record]:
    return [record] * 3 if record.value == b"three" else [record]


def fit(record: Record) -> list[Record] | None:
    return None if record.value == b"unfit" else [record]


def picky() -> Make:
    """Refuses the second part of what was split."""
    seen: list[str] = []

    def unlike(record: Record) -> list[Record] | None:
        seen.append(record.position)
        return None if seen.count(record.position) == 2 else [record]

    return unlike


def stripped(record: Record) -> list[Record]:
    return [Record("", "", record.key, record.value, 0, (("mine", b"1"), (ORIGIN_HEADER, b"forged")))]


def nothing(record: Record) -> list[Record]:
    return []


async def chained(batch: Batch, *makes: Make) -> Transformed:
    async with Chain([Step(make) for make in makes], Clock(), Counters()) as chain:
        return await chain.apply(batch)


async def test_parts_are_numbered_by_what_is_left_of_a_record() -> None:
    """Only where some record has several, and from 0 whatever was dropped of it on the way."""
    made = await chained(batch_of(b"one", b"three", b"one"), split)
    assert made.batch.positions == ["100", "101", "101", "101", "102"]
    assert made.batch.parts == [0, 0, 1, 2, 0]
    assert made.batch.identities == ["100", "101", "101~1", "101~2", "102"]
    whole = await chained(batch_of(b"one", b"one"), split)
    assert whole.batch.parts is None
    assert whole.batch.identities is whole.batch.positions


async def test_a_record_is_refused_whole() -> None:
    """Told by its index in what was given to the chain, once, whichever step refuses whichever part of it."""
    made = await chained(batch_of(b"one", b"three", b"unfit", b"one"), split, picky(), fit)
    assert made.batch.positions == ["100", "103"]
    assert [(each.index, each.reason) for each in made.rejected] == [(1, "unlike"), (2, "fit")]


async def test_what_each_step_drops_is_counted_and_no_step_is_given_nothing() -> None:
    """Behind the step that leaves nothing none is called."""
    calls: list[str] = []

    def late(record: Record) -> list[Record]:
        calls.append(record.position)
        return [record]

    made = await chained(batch_of(b"a", b"b"), nothing, late)
    assert (len(made.batch), dict(made.dropped), calls) == (0, {"nothing": 2}, [])


@pytest.mark.parametrize("make", [stripped, split])
async def test_no_step_sees_or_loses_where_a_record_comes_from(make: Make) -> None:
    """The bridge's own headers stand behind the others, in their order, on every part; none can be forged."""
    own = ((ORIGIN_HEADER, b"a>b"), (REPLAY_HEADER, b"r"), (ORIGIN_HEADER, b"b>c"), (DUAL_WRITE_HEADER, b"d"))
    seen: list[Record] = []

    def looking(record: Record) -> list[Record]:
        seen.append(record)
        return [record]

    given = batch_of(b"three", b"one", headers=[(own[0], ("theirs", b"2"), *own[1:]), ()])
    made = await chained(given, looking, make)
    assert [record.headers for record in seen] == [(("theirs", b"2"),), ()]
    assert made.batch.headers is not None
    first, *others = made.batch.headers
    assert first == ((("mine", b"1") if make is stripped else ("theirs", b"2")), *own)
    assert all(headers == first for headers in others[:-1])
    assert others[-1] == ((("mine", b"1"),) if make is stripped else ())


async def test_steps_are_opened_in_their_order_and_closed_in_the_other() -> None:
    """Those that are open are closed where a later one cannot be opened."""
    told: list[str] = []

    class Shut(Step):
        async def __aenter__(self) -> Self:
            raise ValueError("shut")

    async with Chain([Step(split, told), Step(fit, told)], Clock(), Counters()):
        assert told == ["split opened", "fit opened"]
    assert told[2:] == ["fit closed", "split closed"]
    told.clear()
    with pytest.raises(ValueError, match="shut"):
        await Chain([Step(split, told), Shut(fit, told)], Clock(), Counters()).__aenter__()
    assert told == ["split opened", "split closed"]


async def test_the_time_that_each_step_takes_is_counted() -> None:
    """Under its name, also where it fails."""

    def failing(record: Record) -> list[Record]:
        raise ValueError("x")

    counters = Counters()
    async with Chain([Step(split), Step(failing)], Clock(), counters) as chain:
        with pytest.raises(ValueError, match="x"):
            await chain.apply(batch_of(b"a"))
    assert set(counters.snapshot().transform_s) == {"split", "failing"}


async def test_it_tells_which_step_has_a_partition() -> None:
    """Each partition is with one of them at a time, or with none."""
    seen: list[str] = []

    def first(record: Record) -> list[Record]:
        seen.append(chain.at_work(record.partition))
        return [record]

    def second(record: Record) -> list[Record]:
        return first(record)

    async with Chain([Step(first), Step(second)], Clock(), Counters()) as chain:
        await chain.apply(batch_of(b"a"))
        assert seen == ["first", "second"]
        assert chain.at_work("shard") == "first, second"
