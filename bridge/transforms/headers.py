"""The step that sets and removes headers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from bridge.transforms.each_record import EachRecord, titled
from bridge.transforms.expressions import Expressions
from bridge.transforms.text import as_text
from connectors.base import Batch, Header
from connectors.transform import Transformed


class Headers(EachRecord[tuple[Header, ...]]):
    """Removes headers, then sets others, each by an expression that still sees the headers as they came.

    One that is set stands once, behind the others; not at all where its expression gives null.
    """

    def __init__(self, setting: Mapping[str, str], removing: Sequence[str]) -> None:
        """``setting`` are expressions by name; names in ``removing`` may have ``*``. Raises ``ExpressionError``."""
        self._names = tuple(setting)
        self._asked = Expressions(list(setting.values()))
        self._removing = (*removing, *setting)

    @property
    def name(self) -> str:
        return titled("headers", ", ".join(self._removing))

    def _make(self, batch: Batch, index: int) -> tuple[Header, ...]:
        given = batch.headers[index] if batch.headers is not None else ()
        kept = [each for each in given if not self._removes(each[0])]
        answers = map(as_text, self._asked.answers(batch, index))
        return (*kept, *((name, value) for name, value in zip(self._names, answers, strict=True) if value is not None))

    def _removes(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._removing)

    def _with(self, batch: Batch, made: Sequence[tuple[Header, ...]]) -> Transformed:
        return Transformed(replace(batch, headers=made if any(made) else None))
