"""Functions of the user's own: what they may return, where they run, how long they may take."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from bridge.transforms import Record, TryAgainError
from bridge.transforms.python import PythonSettings, PythonStep
from connectors.base import Batch, RefusedError, TransientError, UnreachableError
from connectors.transform import Transformed
from tests.bridge.transforms.batches import batch_of
from tests.support.waiting import eventually

GATE = threading.Event()
CALLED = threading.Event()


ANSWERS: dict[bytes | None, Callable[[Record], Any]] = {
    b"change": lambda record: replace(record, value=b"changed", key=None, timestamp_ms=5, headers=(("h", None),)),
    b"drop": lambda record: None,
    None: lambda record: None,
    b"split": lambda record: [replace(record, value=b"one"), replace(record, value=b"two")],
    b"yield": lambda record: (replace(record, value=value) for value in (b"three", b"four")),
    b"none": lambda record: [],
    b"text": lambda record: replace(record, value="text"),  # type: ignore[arg-type]
    b"bytes": lambda record: b"bytes",
    b"year 300 million": lambda record: replace(record, timestamp_ms=1 << 63),
    b"half a pair": lambda record: replace(record, headers=(("\ud83d", b""),)),
}


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


ENDING: dict[bytes, type[BaseException]] = {
    b"exit": SystemExit,
    b"cancel": asyncio.CancelledError,
    b"stop": StopIteration,
    b"speechless": SpeechlessError,
}


def sorted_out(record: Record) -> Any:
    """Keep, change, drop, split, and what is none of these."""
    if record.value == b"raise":
        raise KeyError("no such thing")
    if record.value in ENDING:
        raise ENDING[record.value]
    answer = ANSWERS.get(record.value)
    return record if answer is None else answer(record)


async def awaited(record: Record) -> Any:
    await asyncio.sleep(0)
    return sorted_out(record)


def together(records: Sequence[Record]) -> Iterator[Record]:
    for record in records:
        answer = sorted_out(record)
        yield from () if answer is None else (answer,) if isinstance(answer, Record) else answer


async def together_awaited(records: Sequence[Record]) -> list[Record]:
    return [*together(records)]


def stuck(record: Record) -> Record:
    GATE.wait(30)
    return record


async def stuck_awaited(record: Record) -> Record:
    CALLED.set()
    await asyncio.Event().wait()
    return record


def backwards(records: Sequence[Record]) -> list[Record]:
    return [*reversed(records)]


def strangers(records: Sequence[Record]) -> list[Record]:
    return [replace(record, position="7") for record in records]


def soon(record: Record) -> Record:
    raise TryAgainError("the prices are being loaded")


def away(record: Record) -> Record:
    raise UnreachableError("ask for a price", "connection refused")


def busy(record: Record) -> Record:
    """Longer than a thread works for one lane."""
    GATE.wait(0.001)
    return replace(record, value=threading.current_thread().name.encode())


def all_stuck(records: Sequence[Record]) -> Sequence[Record]:
    return [stuck(record) for record in records]


async def applied(
    name: str, batch: Batch, takes: Literal["record", "batch"] = "record", timeout_s: float = 30.0
) -> Transformed:
    settings = PythonSettings(f"{__name__}:{name}", takes, Path(), timeout_s)
    async with PythonStep(settings) as step:
        return await step.apply(batch)


FORMS = pytest.mark.parametrize(
    ("name", "takes"),
    [("sorted_out", "record"), ("awaited", "record"), ("together", "batch"), ("together_awaited", "batch")],
)


@FORMS
async def test_a_record_is_kept_changed_dropped_or_split(name: str, takes: Any) -> None:
    """In place, with its position, and when it arrived; whatever the form of the function."""
    given = batch_of(b"keep", b"change", b"drop", b"split", None, b"yield", b"none", b"last")
    made = await applied(name, given, takes)
    assert made.batch.values == [b"keep", b"changed", b"one", b"two", b"three", b"four", b"last"]
    assert made.batch.positions == ["100", "101", "103", "103", "105", "105", "107"]
    assert made.batch.arrived_ms == [2000, 2001, 2003, 2003, 2005, 2005, 2007]
    assert made.batch.keys[:2] == [b"key-0", None]
    assert made.batch.timestamps_ms[:2] == [1000, 5]
    assert made.batch.headers is not None
    assert made.batch.headers[1] == (("h", None),)
    assert (made.batch.place, made.batch.reservation) == (given.place, given.reservation)
    assert made.batch.size == sum(len(each) for each in (*made.batch.keys, *made.batch.values) if each is not None)
    assert (dict(made.dropped), made.rejected) == ({"filter": 3}, ())


@FORMS
async def test_what_raises_or_returns_no_record_names_the_record(name: str, takes: Any) -> None:
    """Others of the batch go on; the detail says what was wrong and where in the function."""
    made = await applied(name, batch_of(b"keep", b"raise", b"drop", b"text", b"split", b"bytes"), takes)
    assert made.batch.values == [b"keep", b"one", b"two"]
    assert [each.index for each in made.rejected] == [1, 3, 5]
    assert {each.reason for each in made.rejected} == {"transform"}
    details = [each.detail for each in made.rejected]
    assert details[0].startswith(f"python {__name__}:{name}: KeyError: 'no such thing' (test_python.py:")
    assert "value is str; allowed: bytes or None" in details[1]
    assert dict(made.dropped) == {"filter": 1}


@FORMS
async def test_what_would_end_the_process_or_the_lane_is_one_records_error(name: str, takes: Any) -> None:
    """An exit, a task of the function's own that was cancelled, an iterator at its end, an exception without words."""
    made = await asyncio.wait_for(applied(name, batch_of(b"keep", *ENDING), takes), 20)
    assert made.batch.values == [b"keep"]
    assert [each.index for each in made.rejected] == [1, 2, 3, 4]
    for each, kind in zip(made.rejected, ENDING.values(), strict=True):
        assert kind.__name__ in each.detail


@FORMS
async def test_what_no_sink_could_send_names_the_record(name: str, takes: Any) -> None:
    """A time of more than 64 bits, and the name of a header that has no bytes."""
    made = await applied(name, batch_of(b"year 300 million", b"half a pair", b"keep"), takes)
    assert made.batch.values == [b"keep"]
    assert [each.index for each in made.rejected] == [0, 1]


async def test_a_function_that_is_cancelled_with_its_lane_ends_with_it() -> None:
    """Whoever ends the lane is not held up by it, and no record is blamed."""
    CALLED.clear()
    task = asyncio.create_task(applied("stuck_awaited", batch_of(b"a")))
    await eventually(CALLED.is_set, "the function at work")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_parts_of_an_earlier_step_are_not_taken_for_dropped() -> None:
    """Of three at one position the first that comes back is the first: only what is missing counts."""
    given = replace(batch_of(b"a", b"b", b"c", b"drop", b"d"), positions=["100", "100", "100", "101", "101"])
    made = await applied("together", given, "batch")
    assert made.batch.values == [b"a", b"b", b"c", b"d"]
    assert made.batch.positions == ["100", "100", "100", "101"]
    assert dict(made.dropped) == {"filter": 1}


@FORMS
async def test_a_batch_that_stays_as_it_is_is_not_copied(name: str, takes: Any) -> None:
    """What a function only looks at costs no more than the look."""
    given = batch_of(b"a", b"b")
    assert (await applied(name, given, takes)).batch is given


@pytest.mark.parametrize(("name", "why"), [("backwards", "behind later ones"), ("strangers", "was not given to it")])
async def test_a_batch_keeps_its_order(name: str, why: str) -> None:
    """Of records that come back out of order, or from nowhere, the function is at fault, and none of them."""
    with pytest.raises(RefusedError, match=why):
        await applied(name, batch_of(b"a", b"b"), "batch")


@pytest.mark.parametrize("name", ["stuck", "stuck_awaited"])
async def test_a_call_that_takes_too_long_is_given_up_and_the_step_is_named(name: str) -> None:
    """The lane tries again; nobody waits for the function, not even to leave the step."""
    GATE.clear()
    try:
        with pytest.raises(TransientError, match=rf"transform by python .*:{name}: no answer within 0.05 s .*timeout"):
            await applied(name, batch_of(b"a"), timeout_s=0.05)
    finally:
        GATE.set()


async def test_while_a_function_works_the_loop_goes_on_and_lanes_take_turns() -> None:
    """One thread calls it, for one lane after the other, some records at a time."""
    GATE.clear()
    long, short = batch_of(*[b"x"] * 200), batch_of(b"y")
    settings = PythonSettings(f"{__name__}:busy")
    async with PythonStep(settings) as step:
        first = asyncio.create_task(step.apply(long))
        await asyncio.sleep(0)
        made = await step.apply(short)
        assert not first.done()
        names = {*made.batch.values, *(await first).batch.values}
    assert names == {f"python {__name__}:busy".encode()}


@pytest.mark.parametrize("takes", ["record", "batch"])
async def test_the_wait_for_a_turn_is_none_of_a_calls_time(takes: Any) -> None:
    """A lane behind one whose call does not end has all of its own time left."""
    GATE.clear()
    name = "stuck" if takes == "record" else "all_stuck"
    async with PythonStep(PythonSettings(f"{__name__}:{name}", takes, timeout_s=0.5)) as step:
        first, behind = (asyncio.create_task(step.apply(batch_of(b"a"))) for _ in range(2))
        with pytest.raises(TransientError, match="no answer within"):
            await first
        GATE.set()
        assert list((await behind).batch.values) == [b"a"]


async def test_nobody_waits_for_ever_behind_a_call_that_does_not_end() -> None:
    """Whoever has to know, as verify, is told so in the end."""
    GATE.clear()
    async with PythonStep(PythonSettings(f"{__name__}:stuck", timeout_s=0.1)) as step:
        lanes = [asyncio.create_task(step.apply(batch_of(b"a"))) for _ in range(3)]
        answers = await asyncio.wait_for(asyncio.gather(*lanes, return_exceptions=True), 20)
        GATE.set()
    assert [type(each) for each in answers] == [TransientError] * 3
    first, *others = map(str, answers)
    assert "no answer within 0.1 s" in first
    assert all("an earlier call has not ended for" in each and "restart the mirror" in each for each in others)


async def test_who_asks_to_be_called_again_is() -> None:
    """Its trouble is no record's: the lane waits, and what connectors raise passes as it is."""
    with pytest.raises(TransientError, match="the prices are being loaded"):
        await applied("soon", batch_of(b"a"))
    with pytest.raises(UnreachableError, match="connection refused"):
        await applied("away", batch_of(b"a"))


MODULES = {
    "def f(record): return record": "",
    "import no_such_thing": "no_such_thing",
    "1 /": "SyntaxError",
    "import sys\nsys.exit(0)": "SystemExit: 0",
    "raise ValueError('not today')": "ValueError: not today",
    "g = 1": "no attribute 'f'",
    "f = 1": "f is int",
    "async def f(record):\n    yield record": "return a list instead",
}


@pytest.mark.parametrize(("text", "cause"), MODULES.items())
async def test_a_function_is_found_when_the_mirror_opens_or_it_is_said_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cause: str
) -> None:
    """Its folder comes before Python's own places; nothing is read before it is there."""
    monkeypatch.setattr("sys.path", ["/nowhere"])
    name = f"functions_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    step = PythonStep(PythonSettings(f"{name}:f", folder=tmp_path))
    if not cause:
        async with step:
            assert (await step.apply(batch_of(b"a"))).batch.values == (b"a",)
        return
    with pytest.raises(RefusedError, match=cause) as raised:
        await step.__aenter__()
    assert raised.value.operation == f"load {name}:f"


async def test_a_module_that_is_not_there_is_told_with_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is named."""
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(RefusedError, match=str(tmp_path)):
        await PythonStep(PythonSettings("no_such_module_here:f", folder=tmp_path)).__aenter__()


async def test_two_modules_of_one_name_are_not_taken_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mirrors of one process with functions of their own: the second is told, instead of running the first's."""
    monkeypatch.setattr("sys.path", ["/nowhere"])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "of_two_mirrors.py").write_text("def f(record): return record")
    async with (
        PythonStep(PythonSettings("of_two_mirrors:f", folder=tmp_path / "a")),
        PythonStep(PythonSettings("of_two_mirrors:f", folder=tmp_path / "a")),
    ):
        with pytest.raises(RefusedError, match=r"/b/of_two_mirrors\.py is not loaded, since .*/a/of_two_mirrors\.py"):
            await PythonStep(PythonSettings("of_two_mirrors:f", folder=tmp_path / "b")).__aenter__()
