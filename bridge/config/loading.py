"""From what a command was given (files or two URLs, and options) to checked configurations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.config.configuration import Configuration
from bridge.config.document import Document, Mark
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.family import Family, family_of, pattern_in
from bridge.config.keys import split_key
from bridge.config.librdkafka import is_secret
from bridge.config.several import agree, entries, holds_several
from bridge.config.urls import derived_name, is_url, put_url
from bridge.config.validation import validate
from bridge.config.variables import is_reference
from bridge.config.yaml_reader import read_document, read_value

_SEEN = (
    "a process's arguments are seen by all of the machine; allowed: '${VARIABLE}' in quotes, "
    "with the secret in the environment, or the key in a file"
)
_ONE = "allowed: one configuration file, or a source URL and a sink URL"
_MANY = "allowed: configuration files, or a source URL and a sink URL"


@dataclass(frozen=True, slots=True)
class Mirrors:
    """What one process mirrors, at least one thing. No two of ``single`` have the same name."""

    single: tuple[Configuration, ...]
    families: tuple[Family, ...] = ()

    @property
    def process(self) -> Configuration:
        """One whose keys that are of the process (``several.OF_THE_PROCESS``) are those of all."""
        return self.single[0] if self.single else self.families[0].sample

    @property
    def alone(self) -> Configuration | None:
        """The mirror that is all there is; None where there are several, or as many as match."""
        return self.single[0] if len(self.single) == 1 and not self.families else None


def load(
    targets: Sequence[str],
    *,
    environment: Mapping[str, str],
    name: str | None = None,
    settings: Sequence[str] = (),
) -> Configuration:
    """The one configuration in ``targets``, a file or two URLs, with ``settings`` (``a.b.c=value``) over it.

    Of a file with several mirrors it is the one that is called ``name``; elsewhere ``name`` takes the place of its own.
    Raises ``ConfigurationError`` with every mistake found.
    """
    if len(targets) > 1 and not any(map(is_url, targets)):
        raise ConfigurationError([Problem("arguments", "", f"found {len(targets)} files; {_ONE}")])
    mirrors = load_all(targets, environment=environment, name=name, settings=settings)
    if mirrors.alone is None:
        raise ConfigurationError([Problem(targets[0], "", f"holds several mirrors: {_choices(mirrors)}")])
    return mirrors.alone


def load_all(
    targets: Sequence[str],
    *,
    environment: Mapping[str, str],
    name: str | None = None,
    settings: Sequence[str] = (),
) -> Mirrors:
    """All mirrors in ``targets``, files or two URLs, each with ``settings`` over it; only the one that is called
    ``name``, where that is given and there are several.

    Raises ``ConfigurationError`` with every mistake found in the first of them that has one.
    """
    documents = _documents(targets, environment)
    for document in documents:
        for setting in settings:
            _apply(document, setting, environment)
    if name is not None and len(documents) == 1 and pattern_in(documents[0]) is None:
        _name(documents[0], name)
    agree(documents)
    mirrors = _mirrors(documents)
    return mirrors if name is None or mirrors.alone else _only(mirrors, name)


def _mirrors(documents: Sequence[Document]) -> Mirrors:
    single: dict[str, Configuration] = {}
    families = []
    for document in documents:
        family = family_of(document)
        if family is not None:
            families.append(family)
            continue
        found = validate(document)
        if found.name in single:
            raise ConfigurationError([document.problem(("name",), f'found "{found.name}"; allowed: each name once')])
        single[found.name] = found
    return Mirrors(tuple(single.values()), tuple(families))


def _only(mirrors: Mirrors, name: str) -> Mirrors:
    found = [each for each in mirrors.single if each.name == name]
    found += [each for family in mirrors.families if (each := family.named(name)) is not None]
    if not found:
        raise ConfigurationError([Problem("--name", "", f'found "{name}"; {_choices(mirrors)}')])
    return Mirrors((found[0],))


def _choices(mirrors: Mirrors) -> str:
    names = [each.name for each in mirrors.single]
    names += [f"one for each of {family.pattern}" for family in mirrors.families]
    return f"say with --name which of {', '.join(names)}"


def _documents(targets: Sequence[str], environment: Mapping[str, str]) -> list[Document]:
    urls = [is_url(target) for target in targets]
    if urls == [True, True]:
        return [_of_urls(targets)]
    if not urls or any(urls):
        mixed = " and ".join("a URL" if url else "a file" for url in urls) or "nothing"
        raise ConfigurationError([Problem("arguments", "", f"found {mixed}; {_MANY}")])
    read = [read_document(_text(Path(target)), target, environment) for target in targets]
    return [each for document in read for each in (entries(document) if holds_several(document) else [document])]


def _of_urls(urls: Sequence[str]) -> Document:
    document = Document()
    for end, url in zip(("source", "sink"), urls, strict=True):
        put_url(document, end, url)
    _name(document, derived_name(document))
    return document


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
    where = f"--set {key}"
    value, marks = read_value(text, where, path, environment)
    if any(is_secret(str(inner[-1])) and not _is_reference(mark.text) for inner, mark in marks.items()):
        # Not put into the message either, which logs may keep.
        raise ConfigurationError([Problem(where, "", _SEEN)])
    document.put(path, value, marks)


def _is_reference(text: str | None) -> bool:
    """Whether what was written is no secret itself: a section, nothing, or a variable of the environment."""
    return text in (None, "", "~", "null") or is_reference(text)
