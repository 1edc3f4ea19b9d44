"""Handlers written for AWS Lambda: the same in process and through Invoke, failures included."""

import asyncio
import importlib
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.policy import OnError
from bridge.transforms.handlers.course import Terms
from bridge.transforms.handlers.firehose_event import FirehoseEvent
from bridge.transforms.handlers.handler import Handler, HandlerError
from bridge.transforms.handlers.in_process import InProcess
from bridge.transforms.handlers.invoked import Invoked
from bridge.transforms.handlers.kinesis_event import KinesisEvent
from bridge.transforms.handlers.shape import Origin, Shape
from bridge.transforms.handlers.step import HandlerStep
from connectors.base import RefusedError, SettingsError, TransientError, UnreachableError
from connectors.transform import Transformed
from tests.bridge.transforms.shard_batches import batch_of
from tests.support import recorded_handlers
from tests.support.clocks import PatientClock
from tests.support.fake_lambda import FakeLambda, fake_lambda

ORIGIN = Origin("eu-west-1", "123456789012", "orders")
SHAPES: dict[str, Shape] = {"kinesis": KinesisEvent(ORIGIN), "firehose": FirehoseEvent(ORIGIN)}
TERMS = Terms(records=100, attempts=3, on_error=OnError.DEAD_LETTER)


@dataclass
class Scripted(Handler):
    """Answers by a function, and remembers the events."""

    answer: Callable[[Any], bytes]
    events: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "scripted"

    @property
    def remedy(self) -> str:
        return "rewrite it"

    async def call(self, event: bytes) -> bytes:
        self.events.append(event)
        return self.answer(event)


class Counted(list[str]):
    """Knows how often it was asked for one of its items."""

    looks = 0

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return super().__getitem__(index)


@pytest.fixture
def aws() -> Iterator[FakeLambda]:
    with fake_lambda() as fake:
        yield fake


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of botocore between attempts, which are drawn at random up to 20 s, are none."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0.0)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], ModuleType]:
    """The recorded handlers, each time as a module of its own with its own state."""
    monkeypatch.syspath_prepend(tmp_path)

    def make() -> ModuleType:
        name = f"recorded_{uuid4().hex}"
        shutil.copy(recorded_handlers.__file__, tmp_path / f"{name}.py")
        return importlib.import_module(name)

    return make


@asynccontextmanager
async def _step(handler: Handler, event: str, terms: Terms = TERMS) -> AsyncIterator[HandlerStep]:
    async with HandlerStep(handler, SHAPES[event], terms, PatientClock()) as step:
        yield step


CASES: dict[str, tuple[str, str, list[bytes | None]]] = {
    "a transformation, whatever it says of a record": (
        "firehose",
        "transform",
        [b'{"name":"a"}', b'{"test":1}', b'{"no":1}', None, b'{"name":"b"}', b"no JSON", b'{"name":"c"}'],
    ),
    "a consumer that names what it could not do": (
        "kinesis",
        "consume",
        [b'{"n":1}', b'{"again":1}', b"{}", b'{"never":1}', b'{"again":1}', None, b'{"n":2}'],
    ),
    "a consumer that raises": ("kinesis", "consume", [b"{}", b'{"raises":"this"}', b"{}", b"{}", b'{"raises":"that"}']),
    "a consumer without partial failures": ("kinesis", "sums", [b'{"n":1}', b'{"n":2}', b'{"m":3}', b'{"n":4}']),
}


async def test_a_handler_gives_the_same_in_process_and_through_invoke(
    aws: FakeLambda, recorded: Callable[[], ModuleType], tmp_path: Path
) -> None:
    """The same events one after the other, and the same of every record: values, what is dropped, what is refused."""
    aws.handlers["orders"] = recorded().consume
    async with Invoked("orders", None, aws.url, 20.0) as orders:
        for (event, function, values), on_error in product(CASES.values(), OnError):
            there, here = recorded(), recorded()
            aws.handlers["orders"] = getattr(there, function)
            terms = replace(TERMS, records=4, on_error=on_error)
            batch = batch_of(*values, keys=[None, b"\xff", *[b"k"] * (len(values) - 2)])

            invoked = await HandlerStep(orders, SHAPES[event], terms, PatientClock()).apply(batch)
            async with _step(InProcess(f"{here.__name__}:{function}", tmp_path, 20.0), event, terms) as step:
                called = await step.apply(batch)

            assert here.events == there.events
            assert _unnamed(called) == _unnamed(invoked)
            assert called.rejected
            assert set(called.batch.positions).isdisjoint(batch.positions[each.index] for each in called.rejected)


def _unnamed(made: Transformed) -> Transformed:
    """Without the step's name and remedy, which say where the handler ran."""
    rejected = (replace(each, detail=each.detail.partition(": ")[2], remedy="") for each in made.rejected)
    return replace(made, rejected=tuple(rejected))


async def test_what_is_tried_again_stands_before_what_comes_behind_it() -> None:
    """Whatever a consumer names as failed, it has dealt with each record before it gets one further on for good."""
    failures = {"12": 2, "15": 1}
    done: list[str] = []

    def consume(event: Any) -> bytes:
        for record in msgspec.json.decode(event)["Records"]:
            number = record["kinesis"]["sequenceNumber"]
            if failures.get(number, 0):
                failures[number] -= 1
                return _failed_at(number)
            done.append(number)
        return b"null"

    clock = PatientClock()
    step = HandlerStep(Scripted(consume), SHAPES["kinesis"], replace(TERMS, records=4), clock)
    made = await step.apply(batch_of(*[b"1"] * 8))

    assert done == [str(number) for number in range(10, 18)]
    assert list(made.batch.positions) == done
    assert clock.waited == [0.5, 1.0, 0.5]


FAULTS = st.tuples(st.sampled_from(["named", "raised"]), st.integers(0, 4))
"""How a consumer fails at a record, and how often."""


@given(faults=st.lists(FAULTS, min_size=1, max_size=25), records=st.integers(1, 8), on_error=st.sampled_from(OnError))
async def test_whatever_fails_and_however_often_the_order_of_the_partition_holds(
    faults: list[tuple[str, int]], records: int, on_error: OnError
) -> None:
    """Each record is done or given up after all that stand before it, and never both."""
    kinds = {str(10 + number): kind for number, (kind, _) in enumerate(faults)}
    left = {str(10 + number): times for number, (_, times) in enumerate(faults)}
    done: list[str] = []

    def consume(event: Any) -> bytes:
        for number in _numbers(event):
            if left[number]:
                left[number] -= 1
                if kinds[number] == "raised":
                    raise HandlerError("ValueError", "no")
                return _failed_at(number)
            if number not in done:
                done.append(number)
        return b"null"

    terms = replace(TERMS, records=records, on_error=on_error)
    batch = batch_of(*[b"1"] * len(faults))
    made = await HandlerStep(Scripted(consume), SHAPES["kinesis"], terms, PatientClock()).apply(batch)

    refused = [batch.positions[each.index] for each in made.rejected]
    assert sorted([*made.batch.positions, *refused]) == list(batch.positions)
    assert list(made.batch.positions) == done == sorted(done)
    if on_error is OnError.STOP and refused:
        assert refused[0] > max(done, default="")


async def test_of_several_that_are_named_the_first_counts() -> None:
    """Also what a consumer did behind it is asked again, as Lambda does it."""
    answers = iter([_failed_at("13", "11"), b'{"batchItemFailures":null}'])
    handler = Scripted(lambda _: next(answers))

    await HandlerStep(handler, SHAPES["kinesis"], TERMS, PatientClock()).apply(batch_of(*[b"1"] * 5))

    assert [_numbers(event) for event in handler.events] == [["10", "11", "12", "13", "14"], ["11", "12", "13", "14"]]


async def test_an_exception_is_narrowed_down_to_its_record() -> None:
    """In halves; what stood before the record is done by then, and what stands behind it follows."""
    handler = Scripted(_raising("13"))

    made = await HandlerStep(handler, SHAPES["kinesis"], TERMS, PatientClock()).apply(batch_of(*[b"1"] * 6))

    assert [(each.index, each.reason) for each in made.rejected] == [(3, "handler")]
    assert made.rejected[0].detail == "scripted: ValueError: no, 3 times"
    assert list(made.batch.positions) == ["10", "11", "12", "14", "15"]
    asked = [_numbers(event) for event in handler.events]
    assert asked.count(["13"]) == 3
    # What was in none but failed events before 13 was given up had no chance to be done before it.
    assert all(numbers[0] <= "13" for numbers in asked[: asked.index(["13"])])


async def test_where_the_lane_stops_nothing_behind_a_failure_is_asked() -> None:
    """Else a handler would see records of a key before one that is tried again when a person has acted."""
    handler = Scripted(_raising("12"))
    terms = replace(TERMS, on_error=OnError.STOP)

    made = await HandlerStep(handler, SHAPES["kinesis"], terms, PatientClock()).apply(batch_of(*[b"1"] * 5))

    assert [(each.index, each.reason) for each in made.rejected] == [(2, "handler"), (3, "behind"), (4, "behind")]
    assert list(made.batch.positions) == ["10", "11"]
    assert _numbers(handler.events[-1]) == ["12"]


NO_ANSWERS = {
    "an identifier that is none": ("kinesis", b'{"batchItemFailures":[{"itemIdentifier":"9"}]}', "itemIdentifier"),
    "an identifier that is empty": ("kinesis", b'{"batchItemFailures":[{"itemIdentifier":""}]}', "itemIdentifier"),
    "an identifier that is missing": ("kinesis", b'{"batchItemFailures":[{}]}', "itemIdentifier"),
    "an identifier that is no text": ("kinesis", b'{"batchItemFailures":[{"itemIdentifier":{}}]}', "itemIdentifier"),
    "no JSON": ("kinesis", b'{"x":NaN}', "is not JSON"),
    "nothing": ("kinesis", b"", "is not JSON"),
    "failures that are no list": ("kinesis", b'{"batchItemFailures":"10"}', "is no list"),
    "no records": ("firehose", b"null", "is not what Firehose expects"),
    "fewer records": ("firehose", b'{"records":[]}', "does not have each recordId"),
    "another record": ("firehose", b'{"records":[{"recordId":"9","result":"Ok","data":""}]}', "each recordId"),
    "no base64": ("firehose", b'{"records":[{"recordId":"10","result":"Ok","data":"#"}]}', "not base64"),
    "no letters of base64": ("firehose", '{"records":[{"recordId":"10","result":"Ok","data":"é"}]}'.encode(), "base64"),
    "another word": ("firehose", b'{"records":[{"recordId":"10","result":"ok","data":""}]}', "says 'ok', not Ok"),
}


@pytest.mark.parametrize(("event", "answer", "detail"), NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_an_answer_that_is_none_is_a_failure_of_the_record(event: str, answer: bytes, detail: str) -> None:
    """Nothing passes unchanged because an answer could not be read."""
    step = HandlerStep(Scripted(lambda _: answer), SHAPES[event], TERMS, PatientClock())

    made = await step.apply(batch_of(b"1"))

    assert len(made.batch) == 0
    assert detail in made.rejected[0].detail


@pytest.mark.parametrize("event", SHAPES)
async def test_an_event_is_never_larger_than_lambda_takes(event: str) -> None:
    """Fewer records go into one call where they are large, and one that is too large alone is refused."""
    values = [bytes(size) for size in (9_000, 9_000, 20_000, 40_000, 9_000)]
    echo = Scripted(_ok if event == "firehose" else lambda _: b"null")
    terms = replace(TERMS, largest_event=40_000)

    made = await HandlerStep(echo, SHAPES[event], terms, PatientClock()).apply(batch_of(*values))

    assert max(map(len, echo.events)) <= 40_000
    assert len(echo.events) == 3
    assert [(each.index, each.reason) for each in made.rejected] == [(3, "too_large")]
    assert list(made.batch.values) == [values[index] for index in (0, 1, 2, 4)]


async def test_parts_of_one_record_have_names_of_their_own() -> None:
    """A handler that answers by recordId tells them apart."""
    batch = replace(batch_of(b"1", b"2", b"3"), positions=["7", "8", "8"])
    handler = Scripted(_ok)

    made = await HandlerStep(handler, SHAPES["firehose"], TERMS, PatientClock()).apply(batch)

    assert [record["recordId"] for record in msgspec.json.decode(handler.events[0])["records"]] == ["7", "8", "8~1"]
    assert list(made.batch.positions) == ["7", "8", "8"]
    assert list(made.batch.values) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("event", SHAPES)
def test_a_record_of_many_parts_costs_no_more_than_as_many_records(event: str) -> None:
    """No part is told by walking over all parts before it."""
    positions = Counted(["7"] * 2_000)
    batch = replace(batch_of(*([b"v"] * len(positions))), positions=positions)
    entries = [SHAPES[event].entry(batch, index) for index in range(len(batch))]
    assert b"7~1999" in entries[-1]
    assert positions.looks < 40 * len(batch)


def test_events_are_those_of_the_developer_guides() -> None:
    """Each field that their examples have is there, in its form."""
    batch = batch_of(b"Hello, this is a test.", keys=[b"1"])
    told = {name: msgspec.json.decode(shape.event([shape.entry(batch, 0)])) for name, shape in SHAPES.items()}
    data = "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg=="

    assert told["kinesis"] == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": "10",
                    "data": data,
                    "approximateArrivalTimestamp": 1700000000.123,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": "shardId-000000000000:10",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/kmbridge",
                "awsRegion": "eu-west-1",
                "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
            }
        ]
    }
    assert told["firehose"] == {
        "invocationId": "kmbridge",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders",
        "sourceKinesisStreamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": "10",
                "approximateArrivalTimestamp": 1700000000123,
                "data": data,
                "kinesisRecordMetadata": {
                    "sequenceNumber": "10",
                    "subsequenceNumber": 0,
                    "partitionKey": "1",
                    "shardId": "shardId-000000000000",
                    "approximateArrivalTimestamp": 1700000000123,
                },
            }
        ],
    }


STUCK = """
import threading

going_on = threading.Event()


def wait(event, context):
    going_on.wait()
"""


async def test_a_call_that_does_not_end_in_time_is_a_fault_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane says which step it waits for. One that waited for its turn meanwhile has all of its own time left."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"handler_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(STUCK)
    module = importlib.import_module(name)

    async with _step(InProcess(f"{name}:wait", tmp_path, 0.5), "kinesis") as step:
        stuck, behind = (asyncio.create_task(step.apply(batch_of(b"1"))) for _ in range(2))
        with pytest.raises(TransientError, match=f"transform by python {name}:wait: no answer within"):
            await stuck
        module.going_on.set()

        assert list((await behind).batch.values) == [b"1"]


async def test_a_function_that_does_not_answer_in_time_is_a_fault_that_passes(aws: FakeLambda) -> None:
    """It is not called again at that moment, while it may still be at work."""
    going_on = threading.Event()
    aws.handlers["orders"] = lambda event, context: going_on.wait()
    async with _step(Invoked("orders", None, aws.url, 0.2), "kinesis") as step:
        with pytest.raises(TransientError, match="transform by lambda orders: no answer within"):
            await step.apply(batch_of(b"1"))
        going_on.set()

    assert aws.calls == 1


SOURCES = {
    "it ends the process": ("import sys\ndef f(event, context): sys.exit(3)", "Runtime.ExitError: exit status 3"),
    "its answer is no JSON": ("def f(event, context): return {1, 2}", "Runtime.MarshalError: the answer cannot be"),
    "its answer has no end": (
        "def f(event, context):\n    a = []\n    for _ in range(100_000): a = [a]\n    return a",
        "Runtime.MarshalError: the answer cannot be",
    ),
    "it raises": ("class Own(Exception): pass\ndef f(event, context): raise Own('x')", "Own: x"),
    "it asks for its time": (
        "def f(event, context): raise ValueError(0 < context.get_remaining_time_in_millis() <= 20000)",
        "ValueError: True",
    ),
}


@pytest.mark.parametrize(("source", "detail"), SOURCES.values(), ids=SOURCES)
async def test_whatever_a_handler_does_in_process_names_its_record(source: str, detail: str, tmp_path: Path) -> None:
    """The mirror goes on, also behind an exit."""
    name = f"handler_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(source)

    async with _step(InProcess(f"{name}:f", tmp_path, 20.0), "kinesis") as step:
        made = await step.apply(batch_of(b"1"))

    assert [each.reason for each in made.rejected] == ["handler"]
    assert detail in made.rejected[0].detail


async def test_an_async_function_is_no_handler(tmp_path: Path) -> None:
    """Lambda would not await it either: it is said before the first record."""
    name = f"handler_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text("async def f(event, context): pass")

    with pytest.raises(SettingsError, match="it is async"):
        await InProcess(f"{name}:f", tmp_path, 20.0).__aenter__()


async def test_throttling_and_faults_of_lambda_are_met_with_more_attempts(
    aws: FakeLambda, recorded: Callable[[], ModuleType], unhurried: None
) -> None:
    """A call that is refused for the moment is made again, and its records go on once."""
    aws.handlers["orders"] = recorded().transform
    async with _step(Invoked("orders", None, aws.url, 20.0), "firehose") as step:
        aws.faults[:] = [(429, "TooManyRequestsException"), (500, "ServiceException"), (503, "ServiceUnavailable")]
        made = await step.apply(batch_of(b'{"name":"a"}'))

    assert list(made.batch.values) == [b'{"name": "A"}']
    assert (aws.calls, aws.faults) == (1, [])


async def test_what_lasts_is_told_as_what_it_is(
    aws: FakeLambda, recorded: Callable[[], ModuleType], unhurried: None
) -> None:
    """Throttling goes on as a fault that passes; a function that is gone, or cannot start, waits for a person."""
    aws.handlers["orders"] = recorded().transform
    async with _step(Invoked("orders", None, aws.url, 20.0), "firehose") as step:
        aws.faults[:] = [(429, "TooManyRequestsException")] * 4
        with pytest.raises(TransientError, match="invoke function orders: TooManyRequestsException"):
            await step.apply(batch_of(b"{}"))
        aws.faults[:] = [(409, "ResourceConflictException")]
        with pytest.raises(TransientError, match="ResourceConflictException"):
            await step.apply(batch_of(b"{}"))
        aws.handlers["orders"] = _not_importable
        with pytest.raises(RefusedError, match="cannot start as it is deployed"):
            await step.apply(batch_of(b"{}"))
        del aws.handlers["orders"]
        with pytest.raises(RefusedError, match="ResourceNotFoundException"):
            await step.apply(batch_of(b"{}"))


async def test_a_request_that_lambda_finds_too_large_is_made_smaller(aws: FakeLambda) -> None:
    """Also where its limit is another than the one that is known here."""
    aws.handlers["orders"] = lambda event, _: {"batchItemFailures": []}
    async with _step(Invoked("orders", None, aws.url, 20.0), "kinesis") as step:
        aws.faults[:] = [(413, "RequestTooLargeException")]
        made = await step.apply(batch_of(b"1", b"2"))

    assert len(made.batch) == 2
    assert aws.calls == 2


async def test_entering_asks_whether_the_function_may_be_called_and_does_not_run_it(aws: FakeLambda) -> None:
    """A dry run needs no other right than the call itself."""
    aws.handlers["orders"] = lambda event, _: None
    async with Invoked("orders", None, aws.url, 20.0):
        pass

    assert (aws.dry_runs, aws.calls) == (["orders"], 0)


async def test_what_cannot_be_called_is_said_on_entering(aws: FakeLambda, unhurried: None) -> None:
    """With what to do: the function's name, the right, the network."""
    with pytest.raises(RefusedError, match=r"check transforms\[\]\.lambda\.function"):
        await Invoked("gone", None, aws.url, 20.0).__aenter__()
    aws.faults[:] = [(403, "AccessDeniedException")]
    with pytest.raises(RefusedError, match="grant lambda:InvokeFunction"):
        await Invoked("orders", None, aws.url, 20.0).__aenter__()
    with pytest.raises(UnreachableError, match="check the network"):
        await Invoked("orders", None, "http://127.0.0.1:1", 20.0).__aenter__()


def _not_importable(event: object, context: object) -> object:
    error = type("Runtime.ImportModuleError", (Exception,), {})
    raise error("Unable to import module 'orders'")


def _raising(number: str) -> Callable[[Any], bytes]:
    def answer(event: Any) -> bytes:
        if number in _numbers(event):
            raise HandlerError("ValueError", "no")
        return b"null"

    return answer


def _ok(event: Any) -> bytes:
    records = msgspec.json.decode(event)["records"]
    told = [{"recordId": each["recordId"], "result": "Ok", "data": each["data"]} for each in records]
    return msgspec.json.encode({"records": told})


def _failed_at(*numbers: str) -> bytes:
    return msgspec.json.encode({"batchItemFailures": [{"itemIdentifier": number} for number in numbers]})


def _numbers(event: bytes) -> list[str]:
    return [record["kinesis"]["sequenceNumber"] for record in msgspec.json.decode(event)["Records"]]
