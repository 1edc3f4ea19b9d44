"""The step that gives records other keys."""

from collections.abc import Sequence

from bridge.transforms.columns import with_keys
from bridge.transforms.each_record import EachRecord, titled
from bridge.transforms.expressions import Expressions
from bridge.transforms.text import as_text
from connectors.base import Batch
from connectors.transform import Transformed


class Rekey(EachRecord[bytes | None]):
    """The key is what an expression gives; without one where that is null.

    What had one key and gets another is in order with all of the same partition that gets the same key.
    """

    def __init__(self, expression: str) -> None:
        """Raises ``ExpressionError``."""
        self._expression = expression
        self._asked = Expressions([expression])

    @property
    def name(self) -> str:
        return titled("rekey", self._expression)

    def _make(self, batch: Batch, index: int) -> bytes | None:
        (answer,) = self._asked.answers(batch, index)
        return as_text(answer)

    def _with(self, batch: Batch, made: Sequence[bytes | None]) -> Transformed:
        return Transformed(with_keys(batch, made))
