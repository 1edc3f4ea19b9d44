"""A document as a checked configuration."""

from collections.abc import Sequence

from pydantic import ValidationError

from bridge.config import messages
from bridge.config.configuration import Configuration
from bridge.config.document import Document, Path
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.lacking import refused


def validate(document: Document) -> Configuration:
    """The configuration that ``document`` is. Raises ``ConfigurationError``."""
    found = [*refused(document)]
    # A section that asks for what is still to come is not judged by the rules of this version.
    refused_sections = {path[0] for path, _ in found}
    try:
        configuration = Configuration.model_validate(document.root)
    except ValidationError as error:
        more = messages.problems(error, document, Configuration)
        found += [(path, problem) for path, problem in more if not path or path[0] not in refused_sections]
        raise ConfigurationError(_by_place(found)) from None
    if found:
        raise ConfigurationError(_by_place(found))
    return configuration


def _by_place(found: Sequence[tuple[Path, Problem]]) -> list[Problem]:
    return sorted((problem for _, problem in found), key=lambda problem: problem.line or 0)
