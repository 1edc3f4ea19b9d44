"""A document as a checked configuration."""

from pydantic import ValidationError

from bridge.config import messages
from bridge.config.configuration import Configuration
from bridge.config.document import Document
from bridge.config.errors import ConfigurationError


def validate(document: Document) -> Configuration:
    """The configuration that ``document`` is. Raises ``ConfigurationError``."""
    try:
        return Configuration.model_validate(document.root)
    except ValidationError as error:
        found = messages.problems(error, document, Configuration)
        raise ConfigurationError(sorted(found, key=lambda problem: problem.line or 0)) from None
