"""The tree of known keys, made from the models: for splitting dotted keys and for suggesting the right one."""

from collections.abc import Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from bridge.config.document import dotted

KeyPath = tuple[str, ...]


def known_keys(model: type[BaseModel], prefix: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key path of ``model``, sections before what is in them. What is in a list has the list's path."""
    for name, info in model.model_fields.items():
        path = (*prefix, info.alias or name)
        yield path
        for section in _sections(info.annotation):
            yield from known_keys(section, path)


def free_keys(model: type[BaseModel], prefix: KeyPath = ()) -> Iterator[KeyPath]:
    """Key paths of the sections that take any key, dots included, as ``librdkafka``."""
    for name, info in model.model_fields.items():
        path = (*prefix, info.alias or name)
        if get_origin(info.annotation) is dict:
            yield path
        for section in _sections(info.annotation):
            yield from free_keys(section, path)


def split_key(key: str, model: type[BaseModel], prefix: KeyPath = ()) -> KeyPath:
    """``sink.kafka.librdkafka.linger.ms`` as its four steps. ``prefix`` stands before ``key`` and is in the result."""
    path = prefix
    free = set(free_keys(model))
    rest = key
    while rest:
        if path in free:
            return (*path, rest)
        step, _, rest = rest.partition(".")
        path = (*path, step)
    return path


def suggestion(path: KeyPath, model: type[BaseModel]) -> str:
    """What to write instead of the unknown key at ``path``: the nearest key here, the same key elsewhere, or all."""
    known = set(known_keys(model))
    here = sorted(key[-1] for key in known if key[:-1] == path[:-1])
    if near := get_close_matches(path[-1], here, 1):
        return f"did you mean {near[0]}?"
    elsewhere = sorted(dotted(key) for key in known if key[-1] == path[-1])
    if elsewhere:
        return f"did you mean {' or '.join(elsewhere)}?"
    return f"known here: {', '.join(here)}"


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, UnionType, tuple):
        for argument in get_args(annotation):
            yield from _sections(argument)
