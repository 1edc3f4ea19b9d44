"""The steps between a mirror's ends, as its configuration asks for them: made, not entered."""

from functools import singledispatch

from bridge.config import Configuration
from bridge.config.section import Section
from bridge.config.transforms.filter import FilterTransform
from bridge.config.transforms.headers import HeadersTransform
from bridge.config.transforms.map import MapTransform
from bridge.config.transforms.python import PythonTransform
from bridge.config.transforms.redact import Redaction, RedactTransform
from bridge.config.transforms.rekey import RekeyTransform
from bridge.transforms.chain import Chain
from bridge.transforms.filter import Filter
from bridge.transforms.headers import Headers
from bridge.transforms.map import EditedValue, NewValue
from bridge.transforms.python import PythonStep
from bridge.transforms.redact import Cover, KeyedHash, Mask, Redact, Removal
from bridge.transforms.rekey import Rekey
from connectors.transform import Transform


def chain_of(configuration: Configuration) -> Chain | None:
    """All steps that are asked for; None where records go through as they are."""
    steps = [_step(section) for section in configuration.transforms]
    return Chain(steps) if steps else None


@singledispatch
def _step(section: Section) -> Transform:
    """The step that ``section`` asks for: what is registered for its class."""
    raise NotImplementedError(type(section).__name__)


@_step.register
def _python(section: PythonTransform) -> Transform:
    return PythonStep(section.python, section.path)


@_step.register
def _filter(section: FilterTransform) -> Transform:
    return Filter(section.filter)


@_step.register
def _map(section: MapTransform) -> Transform:
    if isinstance(section.map, str):
        return NewValue(section.map)
    return EditedValue(section.map.set, section.map.remove)


@_step.register
def _rekey(section: RekeyTransform) -> Transform:
    return Rekey(section.rekey)


@_step.register
def _headers(section: HeadersTransform) -> Transform:
    return Headers(section.headers.set, section.headers.remove)


@_step.register
def _redact(section: RedactTransform) -> Transform:
    return Redact(section.redact.fields, _cover(section.redact))


def _cover(section: Redaction) -> Cover:
    if section.secret is not None:
        return KeyedHash(section.secret.get_secret_value())
    return Mask(section.mask) if section.by == "mask" else Removal()
