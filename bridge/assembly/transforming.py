"""The steps between a mirror's ends, as its configuration asks for them: made, not entered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

from bridge.config import Configuration
from bridge.config.section import Section
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


@singledispatch
def _step(section: Section, around: _Around) -> Transform:
    """The step that ``section`` asks for: what is registered for its class."""
    raise NotImplementedError(type(section).__name__)


@_step.register
def _python(section: PythonTransform, around: _Around) -> Transform:
    if section.event is None:
        return PythonStep(PythonSettings(section.python, section.takes, section.path, section.timeout))
    return _handler(InProcess(section.python, section.path, section.timeout), section, around)


@_step.register
def _lambda(section: LambdaTransform, around: _Around) -> Transform:
    called = section.lambda_
    invoked = Invoked(called.function, called.reached_in, called.endpoint_url, called.timeout)
    return _handler(invoked, called, around)


@_step.register
def _filter(section: FilterTransform, _: _Around) -> Transform:
    return Filter(section.filter)


@_step.register
def _map(section: MapTransform, _: _Around) -> Transform:
    if isinstance(section.map, str):
        return NewValue(section.map)
    return EditedValue(section.map.set, section.map.remove)


@_step.register
def _rekey(section: RekeyTransform, _: _Around) -> Transform:
    return Rekey(section.rekey)


@_step.register
def _headers(section: HeadersTransform, _: _Around) -> Transform:
    return Headers(section.headers.set, section.headers.remove)


@_step.register
def _redact(section: RedactTransform, _: _Around) -> Transform:
    return Redact(section.redact.fields, _cover(section.redact))


@_step.register
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
    source = configuration.source
    if source.kinesis is None:
        return Origin("kafka", NOBODY, configuration.source.end.place.rpartition("/")[2])
    stream = source.kinesis
    return Origin(stream.reached_in or "", stream.account or NOBODY, stream.stream_name)
