"""The steps between a mirror's ends, as its configuration asks for them: made, not entered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bridge.config import Configuration
from bridge.config.transforms import Step
from bridge.config.transforms.filter import FilterTransform
from bridge.config.transforms.handler import HandlerCalls
from bridge.config.transforms.headers import HeadersTransform
from bridge.config.transforms.lambda_function import LambdaTransform
from bridge.config.transforms.map import MapTransform
from bridge.config.transforms.python import PythonTransform
from bridge.config.transforms.redact import Redaction, RedactTransform
from bridge.config.transforms.rekey import RekeyTransform
from bridge.config.transforms.schemas import SchemasTransform
from bridge.engine.policy import OnError
from bridge.transforms.chain import Chain
from bridge.transforms.filter import Filter
from bridge.transforms.handlers.course import Terms
from bridge.transforms.handlers.firehose_event import FirehoseEvent
from bridge.transforms.handlers.handler import Handler
from bridge.transforms.handlers.in_process import InProcess
from bridge.transforms.handlers.invoked import Invoked
from bridge.transforms.handlers.kinesis_event import KinesisEvent
from bridge.transforms.handlers.shape import NOBODY, Origin
from bridge.transforms.handlers.step import HandlerStep
from bridge.transforms.headers import Headers
from bridge.transforms.map import EditedValue, NewValue
from bridge.transforms.python import PythonSettings, PythonStep
from bridge.transforms.redact import Cover, KeyedHash, Mask, Redact, Removal
from bridge.transforms.rekey import Rekey
from bridge.transforms.schemas import SchemasStep
from connectors.base import Clock, Observer
from connectors.transform import Transform


@dataclass(frozen=True, slots=True)
class _Around:
    """What a step may be told beside its own section."""

    configuration: Configuration
    clock: Clock


def chain_of(configuration: Configuration, clock: Clock, observer: Observer) -> Chain | None:
    """All steps that are asked for; None where records go through as they are."""
    steps = steps_of(configuration, clock)
    return Chain(steps, clock, observer) if steps else None


def steps_of(configuration: Configuration, clock: Clock) -> Sequence[Transform]:
    """Each for itself, in their order."""
    around = _Around(configuration, clock)
    return [_step(section, around) for section in configuration.transforms]


def _step(section: Step, around: _Around) -> Transform:
    """The step that ``section`` asks for."""
    step: Transform
    match section:
        case PythonTransform():
            step = _python(section, around)
        case LambdaTransform(lambda_=called):
            invoked = Invoked(called.function, called.reached_in, called.endpoint_url, called.timeout)
            step = _handler(invoked, called, around)
        case FilterTransform():
            step = Filter(section.filter)
        case MapTransform():
            step = _map(section)
        case RekeyTransform():
            step = Rekey(section.rekey)
        case HeadersTransform():
            step = Headers(section.headers.set, section.headers.remove)
        case RedactTransform():
            step = Redact(section.redact.fields, _cover(section.redact))
        case SchemasTransform():
            step = _schemas(section, around)
        case _:
            assert_never(section)
    return step


def _python(section: PythonTransform, around: _Around) -> Transform:
    if section.event is None:
        return PythonStep(PythonSettings(section.python, section.takes, section.path, section.timeout))
    return _handler(InProcess(section.python, section.path, section.timeout), section, around)


def _map(section: MapTransform) -> Transform:
    if isinstance(section.map, str):
        return NewValue(section.map)
    return EditedValue(section.map.set, section.map.remove)


def _schemas(section: SchemasTransform, around: _Around) -> Transform:
    read, written = around.configuration.source.end.short_name, around.configuration.sink.end.short_name
    return SchemasStep(section.schemas.settings(read, written), around.clock)


def _cover(section: Redaction) -> Cover:
    if section.secret is not None:
        return KeyedHash(section.secret.get_secret_value())
    return Mask(section.mask) if section.by == "mask" else Removal()


def _handler(handler: Handler, called: HandlerCalls, around: _Around) -> Transform:
    origin = _origin(around.configuration)
    shape = FirehoseEvent(origin) if called.event == "firehose" else KinesisEvent(origin)
    on_error = OnError(around.configuration.on_error)
    return HandlerStep(handler, shape, Terms(called.batch, called.attempts, on_error), around.clock)


def _origin(configuration: Configuration) -> Origin:
    """As far as the configuration tells it; a topic is told as a stream of its name."""
    stream = configuration.source.kinesis
    if stream is None:
        return Origin("kafka", NOBODY, configuration.source.end.short_name)
    return Origin(stream.reached_in or "", stream.account or NOBODY, stream.stream_name)
