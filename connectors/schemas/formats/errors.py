"""Why a schema cannot be used."""

from connectors.base import RefusedError


class UnusableSchemaError(RefusedError):
    """What a schema says cannot be understood, or cannot be said in the other registry."""
