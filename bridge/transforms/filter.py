"""The step that leaves records out."""

from collections.abc import Sequence

from bridge.transforms.each_record import EachRecord, titled
from bridge.transforms.expressions import EXPRESSION, Expressions
from bridge.transforms.unfit import UnfitError
from connectors.base import Batch
from connectors.transform import Transformed

FILTER = "filter"
"""The reason under which records are counted that are left out."""


class Filter(EachRecord[bool]):
    """Keeps the records for which an expression is true."""

    def __init__(self, expression: str) -> None:
        """Raises ``ExpressionError``."""
        self._expression = expression
        self._asked = Expressions([expression])

    @property
    def name(self) -> str:
        return titled("filter", self._expression)

    def _make(self, batch: Batch, index: int) -> bool:
        (answer,) = self._asked.answers(batch, index)
        if not isinstance(answer, bool):
            raise UnfitError(EXPRESSION, f"gives {type(answer).__name__}, neither true nor false")
        return answer

    def _with(self, batch: Batch, made: Sequence[bool]) -> Transformed:
        if all(made):
            return Transformed(batch)
        kept = [index for index, is_kept in enumerate(made) if is_kept]
        return Transformed(batch.pick(kept), {FILTER: len(batch) - len(kept)})
