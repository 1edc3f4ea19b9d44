"""The reference of all keys as Markdown, made from the models: one table a section.

``python -m bridge.config.reference FILE`` renews what stands between the markers of FILE.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from bridge.config.configuration import Configuration

BEGIN = "<!-- made by `make reference` from here on -->"
END = "<!-- made by `make reference` up to here -->"

_HEAD = ("| key | takes | left out | |", "|---|---|---|---|")
_PLAIN = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true`, `false`",
    "null": "`null`",
    "object": "keys and values as they are",
}
_REF = "#/$defs/"

_Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Section:
    """The keys at ``path``; of several schemas where each of them is a form that the section may have."""

    path: str
    forms: tuple[_Schema, ...]

    def entries(self) -> Iterator[tuple[str, _Schema, bool]]:
        """Name, schema and whether it may be left out, of each key."""
        for form in self.forms:
            for name, schema in form.get("properties", {}).items():
                yield name, schema, name not in form.get("required", ()) or len(self.forms) > 1

    def of(self, name: str, schema: _Schema) -> str:
        """The path of a key in this section, as a heading has it."""
        path = f"{self.path}.{name}" if self.path else name
        return f"{path}[]" if schema.get("type") == "array" else path


class _Reference:
    def __init__(self, schema: _Schema) -> None:
        self._root = schema
        self._told: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        yield from self._section(_Section("", (self._root,)))

    def _section(self, section: _Section) -> Iterator[str]:
        yield f"## {section.path or 'A mirror'}"
        yield ""
        text = " ".join(_plain(form["description"]) for form in section.forms if section.path and "description" in form)
        same = self._told.setdefault(repr(section.forms), section.path)
        if same != section.path:
            yield f"As {_link(same)}."
            yield ""
            return
        if text:
            yield text
            yield ""
        yield from _HEAD
        for name, schema, is_optional in section.entries():
            yield self._row(section, name, schema, is_optional=is_optional)
        yield ""
        for name, schema, _ in section.entries():
            if forms := self._forms(schema):
                yield from self._section(_Section(section.of(name, schema), forms))

    def _row(self, section: _Section, name: str, schema: _Schema, *, is_optional: bool) -> str:
        takes, forms = [*self._values(schema)], self._forms(schema)
        if forms:
            path = section.of(name, schema)
            takes.append(f"{'a list of ' if path.endswith('[]') else ''}{_link(path)}")
        sentence = next((each["description"] for each in (schema, *forms) if "description" in each), "")
        default = _default(schema) if is_optional else "required"
        cells = (f"`{name}`", ", ".join(takes), default, _plain(sentence).replace("|", "\\|"))
        return f"| {' | '.join(cells)} |"

    def _forms(self, schema: _Schema) -> tuple[_Schema, ...]:
        """Those of the section that a value may be; none where it is none."""
        if "$ref" in schema:
            found = self._named(schema["$ref"])
            return (found,) if "properties" in found else ()
        inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        inner += [schema["items"]] if "items" in schema else []
        return tuple(form for each in inner for form in self._forms(each))

    def _values(self, schema: _Schema) -> Iterator[str]:
        """What a value may be that is no section."""
        if "examples" in schema:
            yield f"as {_codes(schema['examples'])}"
        elif "enum" in schema or "const" in schema:
            yield _codes(schema.get("enum", [schema.get("const")]))
        elif "anyOf" in schema or "oneOf" in schema:
            for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
                yield from self._values(each)
        elif schema.get("type") == "array":
            inner = [*self._values(schema.get("items", {}))]
            if not self._forms(schema):
                yield f"a list of {' or '.join(inner)}" if inner else "`[]`"
        elif "$ref" in schema:
            found = self._named(schema["$ref"])
            yield from () if "properties" in found else self._values(found)
        elif "type" in schema:
            yield _bounded(schema)

    def _named(self, reference: str) -> _Schema:
        found: _Schema = self._root["$defs"][reference.removeprefix(_REF)]
        return found


def reference() -> str:
    """All keys, section by section, and an example with every one of them. Ends with a line's end."""
    example = files("bridge.config").joinpath("example.yaml").read_text(encoding="utf-8")
    keys = "\n".join(_Reference(Configuration.model_json_schema()).lines())
    return f"{keys}\n## An example with every key\n\n`kmbridge config example` prints it.\n\n```yaml\n{example}```\n"


def renewed(page: str) -> str:
    """``page`` with the reference between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def _link(path: str) -> str:
    anchor = "".join(letter for letter in path if letter.isalnum() or letter == "_")
    return f"[{path}](#{anchor})"


def _bounded(schema: _Schema) -> str:
    text = _PLAIN[schema["type"]]
    least, most, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    text += f" from {least}" if least is not None else f" above {above}" if above is not None else ""
    return f"{text} to {most}" if most is not None else text


def _plain(text: str) -> str:
    """A docstring's marks of code are Markdown's doubled."""
    return text.replace("``", "`")


def _default(schema: _Schema) -> str:
    default = schema.get("default")
    if default in ([], {}):
        return ""
    return _codes([default]) if "default" in schema else ""


def _codes(values: list[Any]) -> str:
    """As YAML has them; texts without quotes."""
    return ", ".join(f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in values)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")
