"""The steps between a mirror's ends, as its configuration asks for them: made, not entered."""

from bridge.config import Configuration
from bridge.config.transforms import Step
from bridge.transforms.chain import Chain
from bridge.transforms.python import PythonSettings, PythonStep
from connectors.base import Clock, Observer
from connectors.transform import Transform


def chain_of(configuration: Configuration, clock: Clock, observer: Observer) -> Chain | None:
    """All steps that are asked for; None where records go through as they are."""
    steps = [_step(section) for section in configuration.transforms]
    return Chain(steps, clock, observer) if steps else None


def _step(section: Step) -> Transform:
    return PythonStep(PythonSettings(section.python, section.takes, section.path, section.timeout))
