"""The steps between a mirror's ends, as its configuration asks for them: made, not entered."""

from bridge.config import Configuration
from bridge.config.transforms import Step
from bridge.config.transforms.python import PythonTransform
from bridge.config.transforms.schemas import SchemasTransform
from bridge.transforms.chain import Chain
from bridge.transforms.python import PythonSettings, PythonStep
from bridge.transforms.schemas import SchemasStep
from connectors.base import Clock, Observer
from connectors.transform import Transform


def chain_of(configuration: Configuration, clock: Clock, observer: Observer) -> Chain | None:
    """All steps that are asked for; None where records go through as they are."""
    steps = [_step(section, configuration, clock) for section in configuration.transforms]
    return Chain(steps, clock, observer) if steps else None


def _step(section: Step, configuration: Configuration, clock: Clock) -> Transform:
    match section:
        case PythonTransform():
            return PythonStep(PythonSettings(section.python, section.takes, section.path, section.timeout))
        case SchemasTransform():
            read, written = configuration.source.end.short_name, configuration.sink.end.short_name
            return SchemasStep(section.schemas.settings(read, written), clock)
