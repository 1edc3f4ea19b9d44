"""The steps that make other values, of JSON."""

from collections.abc import Mapping, Sequence

from bridge.transforms.columns import with_values
from bridge.transforms.each_record import EachRecord, titled
from bridge.transforms.expressions import Expressions
from bridge.transforms.json_value import NOT_JSON, encoded, exactly_decoded, plain
from bridge.transforms.paths import ABSENT, OnePlace, Places
from bridge.transforms.unfit import UnfitError
from connectors.base import Batch
from connectors.transform import Transformed


class NewValue(EachRecord[bytes | None]):
    """The value is what an expression gives, as JSON; null makes a tombstone."""

    def __init__(self, expression: str) -> None:
        """Raises ``ExpressionError``."""
        self._expression = expression
        self._asked = Expressions([expression])

    @property
    def name(self) -> str:
        return titled("map", self._expression)

    def _make(self, batch: Batch, index: int) -> bytes | None:
        (answer,) = self._asked.answers(batch, index)
        return None if answer is None else encoded(plain(answer))

    def _with(self, batch: Batch, made: Sequence[bytes | None]) -> Transformed:
        return Transformed(with_values(batch, made))


class EditedValue(EachRecord[bytes | None]):
    """Fields of the value are removed, then others set, each by an expression that still sees the value as it came.

    All else says what it said, every digit of a number too. A tombstone stays one.
    """

    def __init__(self, setting: Mapping[str, str], removing: Sequence[str]) -> None:
        """``setting`` are expressions by the path of their field. Raises ``ExpressionError`` and ``PathError``."""
        self._paths = (*removing, *setting)
        self._setting = {path: OnePlace(path) for path in setting}
        self._asked = Expressions(list(setting.values()))
        self._removing = Places(removing)

    @property
    def name(self) -> str:
        return titled("map", ", ".join(self._paths))

    def _make(self, batch: Batch, index: int) -> bytes | None:
        value = batch.values[index]
        if value is None:
            return None
        answers = [plain(answer) for answer in self._asked.answers(batch, index)]
        root = exactly_decoded(value)
        self._removing.change(root, lambda _: ABSENT)
        for (path, place), answer in zip(self._setting.items(), answers, strict=True):
            if not place.put(root, answer):
                raise UnfitError(NOT_JSON, f"{path} leads into what is no object")
        return encoded(root)

    def _with(self, batch: Batch, made: Sequence[bytes | None]) -> Transformed:
        return Transformed(with_values(batch, made))
