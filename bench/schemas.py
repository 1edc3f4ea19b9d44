"""What it costs to make records readable for those who ask another schema registry, once their schemas are known."""

import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from connectors.base import Batch, Clock
from connectors.schemas.definition import Definition, Field, Format
from connectors.schemas.framing.confluent import ConfluentFraming
from connectors.schemas.framing.frame import Framing
from connectors.schemas.framing.glue import GlueFraming
from connectors.schemas.naming import Naming
from connectors.schemas.settings import Unknown
from connectors.schemas.step import SchemaStep
from connectors.schemas.translation import Translation
from tests.connectors.schemas.batches import batch_of
from tests.connectors.schemas.memory_registry import AVRO, MemoryRegistry

_RECORDS = 10_000
_ROUNDS = 20
_ID, _NUMBER = bytes(range(16)), (7).to_bytes(4, "big")
_BODY = bytes(range(250)) * 4
_PROTOBUF = Definition(Format.PROTOBUF, 'syntax = "proto3"; package shop; message Order { message Line {} }')


@dataclass(frozen=True, slots=True)
class StepCost:
    """Of records of 1 KB, in microseconds of processor time each, the median of some rounds."""

    what: str
    microseconds: float


async def measure(repeat: int) -> list[StepCost]:
    glue, confluent = b"\x03\x00" + _ID, b"\x00" + _NUMBER
    packed = b"\x03\x05" + _ID + zlib.compress(_BODY)
    to_confluent, to_glue = (GlueFraming(), ConfluentFraming()), (ConfluentFraming(), GlueFraming())
    in_header = (GlueFraming(), ConfluentFraming(in_header=True))
    return [
        await _cost("in no frame", *to_confluent, AVRO, _BODY, repeat),
        await _cost("Avro or JSON, Glue to Confluent", *to_confluent, AVRO, glue + _BODY, repeat),
        await _cost("Avro or JSON, Confluent to Glue", *to_glue, AVRO, confluent + _BODY, repeat),
        await _cost("Protobuf, Glue to Confluent", *to_confluent, _PROTOBUF, glue + b"\x01" + _BODY, repeat),
        await _cost("Protobuf, Confluent to Glue", *to_glue, _PROTOBUF, confluent + b"\x04\x00\x00" + _BODY, repeat),
        await _cost("Avro or JSON, Glue to Confluent's header", *in_header, AVRO, glue + _BODY, repeat),
        await _cost("zlib undone", *to_confluent, AVRO, packed, repeat),
    ]


async def _cost(
    what: str, source: Framing, target: Framing, definition: Definition, payload: bytes, repeat: int
) -> StepCost:
    name = _name(source)
    registry = MemoryRegistry(source, name)
    registry.add(name, definition)
    other = MemoryRegistry(target, _name(target))
    translation = Translation(registry, other, Naming("topic_name", "orders"), None, 1_000)
    step = SchemaStep(translation, (Field.KEY, Field.VALUE), Unknown.STOP, Clock())
    # Each its own bytes, as records have them.
    batch = batch_of([bytes(bytearray(payload)) for _ in range(_RECORDS)])
    await step.apply(batch)
    return StepCost(what, median([await _round(step, batch) for _ in range(_ROUNDS * repeat)]))


def _name(framing: Framing) -> bytes:
    """By which it names a schema."""
    return _NUMBER if isinstance(framing, ConfluentFraming) and not framing.in_header else _ID


async def _round(step: SchemaStep, batch: Batch) -> float:
    begun_s = time.process_time()
    await step.apply(replace(batch))
    return (time.process_time() - begun_s) / _RECORDS * 1e6


def as_json(found: Sequence[StepCost]) -> list[dict[str, Any]]:
    return [asdict(each) for each in found]


def as_text(found: Sequence[StepCost]) -> str:
    return "\n".join(f"{each.what:<44}{each.microseconds:>8.2f} us" for each in found)
