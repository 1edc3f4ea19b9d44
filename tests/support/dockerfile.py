"""A Dockerfile as its stages and instructions, as far as ours goes: no here-documents, no escape directive."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCRATCH = "scratch"

_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_FLAG = re.compile(r"--([\w-]+)=(\S+)\s+")
_PAIR = re.compile(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S+)')


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    """``RUN``, ``COPY``… in capitals."""
    text: str
    """What follows word and flags, continued lines joined."""
    flags: Mapping[str, str]

    @property
    def exec_form(self) -> list[str] | None:
        """The words of ``["a", "b"]``; None where it is written for a shell."""
        if not self.text.startswith("["):
            return None
        words: list[str] = json.loads(self.text)
        return words

    def pairs(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The names and values of ENV, ARG and LABEL."""
        return {name: expanded(value.strip('"'), variables) for name, value in _PAIR.findall(self.text)}


@dataclass(frozen=True, slots=True)
class Stage:
    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def only(self, word: str) -> Instruction:
        """The one instruction of that name. Raises ``ValueError`` where there is none or more than one."""
        (found,) = (each for each in self.instructions if each.word == word)
        return found


@dataclass(frozen=True, slots=True)
class Dockerfile:
    arguments: Mapping[str, str]
    """Defaults of the ARGs before the first stage."""
    stages: Sequence[Stage]

    @property
    def last(self) -> Stage:
        return self.stages[-1]


def read_dockerfile(path: Path) -> Dockerfile:
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in _joined(path.read_text()):
        found = _instruction(line)
        if found.word == "FROM":
            base, *name = re.split(r"\s+AS\s+", found.text, flags=re.IGNORECASE)
            stages.append(Stage(base, name[0] if name else None))
        elif stages:
            stages[-1].instructions.append(found)
        else:
            arguments |= found.pairs({})
    return Dockerfile(arguments, stages)


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with ``$NAME`` and ``${NAME}`` replaced. Raises ``KeyError`` for one that is not set."""
    return _VARIABLE.sub(lambda found: variables[found[1] or found[2]], text)


def _joined(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()


def _instruction(line: str) -> Instruction:
    word, _, rest = line.partition(" ")
    flags: dict[str, str] = {}
    while found := _FLAG.match(rest):
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Instruction(word.upper(), rest.strip(), flags)
