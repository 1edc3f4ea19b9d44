"""What a lane says that has stopped at a record: how to get past it, by what refused it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from bridge.engine.rejection import stop_at, stop_unburied
from bridge.transforms.filter import Filter
from bridge.transforms.python import PythonSettings, PythonStep
from connectors.base import Batch, Rejected
from connectors.codecs.raw import RawCodec
from connectors.kafka.limits import Limits
from tests.bridge.transforms.batches import batch_of

_FUNCTION = "def refuse(record):\n    raise ValueError(record.position)\n"
_NOW_MS = 1_764_000_000_000

Refusing = Callable[[Batch, Path], Awaitable[Sequence[Rejected]]]


async def _size(batch: Batch, _: Path) -> Sequence[Rejected]:
    return Limits(max_message_bytes=1).rejections(batch, _NOW_MS)


async def _time(batch: Batch, _: Path) -> Sequence[Rejected]:
    return Limits(before_max_ms=1).rejections(batch, _NOW_MS)


async def _codec(batch: Batch, _: Path) -> Sequence[Rejected]:
    return RawCodec().refusals(batch.pick([1]))


async def _expression(batch: Batch, _: Path) -> Sequence[Rejected]:
    return (await Filter("value.n > 1").apply(batch)).rejected


async def _function(batch: Batch, folder: Path) -> Sequence[Rejected]:
    async with PythonStep(PythonSettings("refusing:refuse", folder=folder)) as step:
        return (await step.apply(batch)).rejected


@pytest.mark.parametrize(
    ("refusing", "remedy"),
    [
        (_size, "once the topic's setting is changed, kmbridge lane retry tries again"),
        (_time, "once the topic's setting is changed, kmbridge lane retry tries again"),
        (_codec, "another sink.kinesis.codec holds from a restart on"),
        (_expression, "a step that was mended works from a restart on"),
        (_function, "a step that was mended works from a restart on"),
    ],
)
async def test_the_hint_fits_what_refused_the_record(refusing: Refusing, remedy: str, tmp_path: Path) -> None:
    """Only what a topic or a stream decides has to do with limits; a step's own refusals end with the step."""
    (tmp_path / "refusing.py").write_text(_FUNCTION)
    batch = batch_of(b"no json", None)

    hint = stop_at(batch, (await refusing(batch, tmp_path))[0]).hint

    assert hint.startswith(f"{remedy}; kmbridge lane skip passes this record; on_error: dead_letter")


def test_without_a_remedy_the_hint_says_what_is_always_possible() -> None:
    """What a service refuses for its content can be passed, or sent elsewhere."""
    hint = stop_at(batch_of(b"bad"), Rejected(0, "invalid_record", "the service says so")).hint

    assert hint.startswith("kmbridge lane skip")


def test_of_a_record_that_the_dead_letter_refuses_too_the_hint_is_about_the_dead_letter() -> None:
    """Its limits are looked up anew as those of the sink are: a restart is asked for by neither."""
    refused, of_letter = Rejected(0, "too_large", "too large"), Rejected(0, "too_large", "larger still", "raise it")
    hint = stop_unburied(batch_of(b"bad"), refused, of_letter).hint

    assert hint.startswith("raise it; choose a dead_letter that can hold such records; kmbridge lane skip")
