"""Protobuf schemas, as text or as compiled descriptors in base64, which some serializers register."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from antlr4.error.ErrorListener import ErrorListener
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError
from proto_schema_parser import ast
from proto_schema_parser.generator import Generator
from proto_schema_parser.parser import Parser

from connectors.schemas.definition import Definition
from connectors.schemas.formats.decompiled import decompiled
from connectors.schemas.formats.errors import UnusableSchemaError
from connectors.schemas.formats.messages import Messages, Path, entry_of

_READ = "read a Protobuf schema"


def name(definition: Definition) -> str | None:
    """The full name of its first message; None of a schema without messages."""
    return next(iter(messages(definition).paths), None)


def messages(definition: Definition) -> Messages:
    """Raises ``UnusableSchemaError`` where the schema cannot be read."""
    compiled = _compiled(definition)
    if compiled is not None:
        paths = dict(_compiled_messages(compiled.message_type, compiled.package, ()))
        return Messages(paths, tuple(sorted(paths)))
    file = _parsed(definition)
    paths = dict(_declared(file.file_elements, _package(file), ()))
    return Messages(paths, tuple(sorted({*paths, *_entries(file.file_elements, _package(file))})))


def whole(definition: Definition) -> str:
    """The schema as text, with what the files hold that it refers to put behind its own messages."""
    if _compiled(definition) is None and not definition.references:
        return definition.text
    file = _file(definition)
    others = {reference.name: _file(reference.definition) for reference in definition.referred()}
    for path, other in others.items():
        _check_same(file, path, other)
    everything = [each for part in (file, *others.values()) for each in part.file_elements]
    imports = {each.name: each for each in everything if isinstance(each, ast.Import) and each.name not in others}
    package = [each for each in file.file_elements if isinstance(each, ast.Package)]
    own = [each for each in file.file_elements if not isinstance(each, ast.Import | ast.Package)]
    added = [
        each
        for other in others.values()
        for each in other.file_elements
        if isinstance(each, ast.Message | ast.Enum | ast.Extension)
    ]
    return Generator().generate(replace(file, file_elements=[*package, *imports.values(), *own, *added]))


def _check_same(file: ast.File, path: str, other: ast.File) -> None:
    """One file has one package and one syntax."""
    if (_package(other), other.syntax) != (_package(file), file.syntax):
        raise UnusableSchemaError(
            f"put {path} into the Protobuf schema that imports it",
            f"its package is {_package(other) or 'none'} and not {_package(file) or 'none'}, or its syntax another",
            "the other registry takes single files alone: give both one package and one syntax",
        )


def _compiled(definition: Definition) -> FileDescriptorProto | None:
    try:
        return FileDescriptorProto.FromString(base64.b64decode(definition.text, validate=True))
    except (binascii.Error, ValueError, DecodeError):
        return None


def _file(definition: Definition) -> ast.File:
    compiled = _compiled(definition)
    return _parsed(definition) if compiled is None else decompiled(compiled)


def _parsed(definition: Definition) -> ast.File:
    return Parser(setup_parser=_strictly).parse(definition.text)


def _strictly(parser: Any) -> None:
    """Left to itself it prints what it does not understand, and goes on."""
    parser.removeErrorListeners()
    parser.addErrorListener(_Mistake())


class _Mistake(ErrorListener):  # type: ignore[misc]  # antlr has no types
    def syntaxError(  # noqa: N802 - as antlr calls it
        self, recognizer: object, symbol: object, line: int, column: int, message: str, error: object
    ) -> NoReturn:
        raise UnusableSchemaError(_READ, f"line {line}, column {column}: {message[:200]}", "register it anew")


def _package(file: ast.File) -> str:
    return next((each.name for each in file.file_elements if isinstance(each, ast.Package)), "")


def _compiled_messages(types: Iterable[DescriptorProto], within: str, path: Path) -> Iterator[tuple[str, Path]]:
    for number, each in enumerate(types):
        full = _inside(within, each.name)
        yield full, (*path, number)
        yield from _compiled_messages(each.nested_type, full, (*path, number))


def _declared(elements: Sequence[object], within: str, path: Path) -> Iterator[tuple[str, Path]]:
    for number, each in enumerate(each for each in elements if isinstance(each, ast.Message)):
        full = _inside(within, each.name)
        yield full, (*path, number)
        yield from _declared(each.elements, full, (*path, number))


def _entries(elements: Sequence[object], within: str) -> Iterator[str]:
    """Compilers make a message of each map, and of each group."""
    for each in elements:
        if isinstance(each, ast.Message | ast.Group):
            yield _inside(within, each.name)
            yield from _entries(each.elements, _inside(within, each.name))
        elif isinstance(each, ast.OneOf):
            yield from _entries(each.elements, within)
        elif isinstance(each, ast.MapField):
            yield _inside(within, entry_of(each.name))


def _inside(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name
