"""What a record costs the mirror in processor time, and what it is in the sink: a matter of its configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.config import Configuration
from bridge.config.section import Section
from bridge.config.transforms.filter import FilterTransform
from bridge.config.transforms.headers import HeadersTransform
from bridge.config.transforms.lambda_function import LambdaFunction, LambdaTransform
from bridge.config.transforms.map import MapTransform
from bridge.config.transforms.python import PythonTransform
from bridge.config.transforms.redact import RedactTransform
from bridge.config.transforms.rekey import RekeyTransform
from bridge.config.transforms.schemas import SchemasTransform
from bridge.planning.load import Load

FROM_KINESIS_US = 9.8
INTO_KINESIS_US: Mapping[str, float] = {"raw": 13.1, "kpl": 14.5, "envelope": 18.7}
"""By codec, out of Kafka."""
DEAREST_US = max(INTO_KINESIS_US.values())
"""For the two pairs that docs/performance.md did not measure."""

STEP_US: Mapping[type[Section], float] = {
    FilterTransform: 12,
    HeadersTransform: 7,
    RekeyTransform: 12,
    RedactTransform: 12,
    MapTransform: 25,
    SchemasTransform: 4.0,
    LambdaTransform: 15,
}
"""The dearest of its kind that docs/expressions.md, docs/schemas.md and docs/lambda.md measured."""
REDACT_ANYWHERE_US = 100
HANDLER_US = STEP_US[LambdaTransform]

ORIGIN_BYTES = 170
"""Origin and time beside a record, as docs/performance.md has it; more where names of streams and topics are long."""


@dataclass(frozen=True, slots=True)
class Work:
    """Of one record."""

    cpu_us: float
    """Of one of 1 KB, from end to end."""
    functions: tuple[LambdaFunction, ...] = ()
    """Those of AWS Lambda that are called with it."""
    unknown: tuple[str, ...] = ()
    """Functions of the user's own, whose time is in none of these."""


def work_of(asked: Configuration) -> Work:
    """With every step of its transforms."""
    steps = asked.transforms
    return Work(
        _from_end_to_end(asked) + sum(map(_step_us, steps)),
        tuple(step.lambda_ for step in steps if isinstance(step, LambdaTransform)),
        tuple(step.python for step in steps if isinstance(step, PythonTransform)),
    )


def written(asked: Configuration, load: Load) -> Load:
    """``load`` as the mirror writes it into the sink."""
    return replace(load, record_bytes=load.record_bytes + ORIGIN_BYTES) if asked.sends_origins else load


def _from_end_to_end(asked: Configuration) -> float:
    stream = asked.sink.kinesis
    if asked.source.kinesis is not None and stream is None:
        return FROM_KINESIS_US
    if asked.source.kinesis is None and stream is not None:
        return INTO_KINESIS_US[stream.codec]
    return DEAREST_US


def _step_us(step: Section) -> float:
    match step:
        case PythonTransform():
            return 0.0 if step.event is None else HANDLER_US
        case RedactTransform() if any(".." in path for path in step.redact.fields):
            return REDACT_ANYWHERE_US
        case _:
            return STEP_US[type(step)]
