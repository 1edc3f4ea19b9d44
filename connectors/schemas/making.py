"""The step that settings ask for."""

from connectors.base import Clock
from connectors.schemas import confluent, glue
from connectors.schemas.framing.confluent import ConfluentFraming
from connectors.schemas.framing.glue import GlueFraming
from connectors.schemas.naming import Naming
from connectors.schemas.registry import Registry
from connectors.schemas.settings import ConfluentSettings, GlueSettings, SchemaSettings
from connectors.schemas.step import SchemaStep
from connectors.schemas.translation import Translation

_REMEMBERED = 10_000
"""Schemas, of which a mirror seldom meets a hundred."""


def step(settings: SchemaSettings, clock: Clock) -> SchemaStep:
    """Made, not entered."""
    translation = Translation(
        _registry(settings.source, settings.read, clock),
        _registry(settings.target, settings.written, clock),
        Naming(settings.subject, settings.written),
        settings.compatibility,
        _REMEMBERED,
    )
    return SchemaStep(translation, settings.fields, settings.unknown, clock)


def _registry(settings: GlueSettings | ConfluentSettings, topic: str, clock: Clock) -> Registry:
    match settings:
        case GlueSettings():
            return glue.GlueRegistry(settings, GlueFraming(settings.compressed), clock, glue.connect)
        case ConfluentSettings():
            framing = ConfluentFraming(settings.in_header)
            return confluent.ConfluentRegistry(settings, framing, topic, confluent.connect)
