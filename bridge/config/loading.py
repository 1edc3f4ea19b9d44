"""From what a command was given (a file or two URLs, and options) to a checked configuration."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from bridge.config import messages
from bridge.config.configuration import Configuration
from bridge.config.document import Document, Mark
from bridge.config.document import Path as KeyPath
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.keys import split_key
from bridge.config.lacking import refused
from bridge.config.urls import derived_name, is_url, put_url
from bridge.config.yaml_reader import read_document, read_value
from bridge.errors import not_yet

_TARGETS = "allowed: one configuration file, or a source URL and a sink URL"


def load(
    targets: Sequence[str],
    *,
    environment: Mapping[str, str],
    name: str | None = None,
    settings: Sequence[str] = (),
) -> Configuration:
    """The configuration in ``targets``, one file or two URLs, with ``settings`` (``a.b.c=value``) over it.

    Raises ``ConfigurationError`` with every mistake found.
    """
    document = _read(targets, environment)
    for setting in settings:
        _apply(document, setting, environment)
    if name is not None:
        _name(document, name)
    return validate(document)


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


def _by_place(found: Sequence[tuple[KeyPath, Problem]]) -> list[Problem]:
    return sorted((problem for _, problem in found), key=lambda problem: problem.line or 0)


def _read(targets: Sequence[str], environment: Mapping[str, str]) -> Document:
    urls = [is_url(target) for target in targets]
    if urls == [False]:
        return read_document(_text(Path(targets[0])), targets[0], environment)
    if urls == [True, True]:
        document = Document()
        for end, url in zip(("source", "sink"), targets, strict=True):
            put_url(document, end, url)
        _name(document, derived_name(document))
        return document
    if len(urls) > 1 and not any(urls):
        several = not_yet("several mirrors in one process", "run one process each")
        raise ConfigurationError([Problem("arguments", "", several)])
    mixed = " and ".join("a URL" if url else "a file" for url in urls) or "nothing"
    raise ConfigurationError([Problem("arguments", "", f"found {mixed}; {_TARGETS}")])


def _name(document: Document, name: str) -> None:
    document.put(("name",), name, {("name",): Mark("--name", None, name)})


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError([Problem(str(path), "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError([Problem(str(path), "", f"is not UTF-8 text: {error.reason}")]) from None


def _apply(document: Document, setting: str, environment: Mapping[str, str]) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key or ".." in f".{key}.":
        # What stands after the sign may be a secret; without one, all that was given is at most a key.
        raise ConfigurationError(
            [Problem("--set", "", f'found "{key}"; allowed: KEY=VALUE, as sink.kafka.topic=orders')]
        )
    path = split_key(key, Configuration)
    value, marks = read_value(text, f"--set {key}", path, environment)
    document.put(path, value, marks)
