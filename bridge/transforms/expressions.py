"""Expressions in CEL, the Common Expression Language (https://cel.dev): they see one record, and end.

No loop but over what the record has, no call but of CEL's own functions, no way out to files, network or environment.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from bridge.transforms.facts import Variable, fact
from bridge.transforms.json_value import has_long_number, shortly_decoded
from bridge.transforms.unfit import UnfitError
from connectors.base import Batch

if TYPE_CHECKING:
    from cel_expr_python import cel

EXPRESSION = "expression"
"""The reason of records for which an expression has no answer."""

_CODE = re.compile(r"^[A-Z_]+: (?:ERROR: )?(?:<input>:)?")
_PICTURE = re.compile(r" expecting \{.*| \(in container ''\).*|\s*\n \|.*|\s*\[[A-Z_]+\]$", re.DOTALL)


class ExpressionError(ValueError):
    """An expression that cannot be used, whatever the record. The message says what is wrong, and where in it."""


class Expressions:
    """Some expressions that are asked of the same record, which is taken apart for all of them once."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises ``ExpressionError`` for the first of ``texts`` that is none."""
        self._environment = _environment(tuple(Variable))
        self._compiled = [_compiled(self._environment, text) for text in texts]
        self._needed = frozenset().union(*map(_needs, texts))

    def answers(self, batch: Batch, index: int) -> list[object]:
        """What each says of the record of ``batch`` at ``index``: text, numbers, lists and dicts, times, or None.

        Raises ``UnfitError`` where one has no answer: a field that is not there, types that do not go together.
        """
        told = {variable: fact(variable, batch, index) for variable in self._needed}
        try:
            return self._asked(told)
        except UnfitError:
            value = batch.values[index]
            if Variable.VALUE not in told or value is None or not has_long_number(value):
                raise
            # The library has integers of 64 bits, and takes nothing of what has a longer one in it.
            return self._asked({**told, Variable.VALUE: shortly_decoded(value)})

    def _asked(self, told: Mapping[Variable, object]) -> list[object]:
        activation = self._environment.Activation(told)
        return [_answer(each, activation) for each in self._compiled]


def check(text: str, *, gives: str | None = None) -> None:
    """Raises ``ExpressionError`` where ``text`` is no expression, or one that never gives what ``gives`` names."""
    found = _compiled(_environment(tuple(Variable)), text).return_type().name()
    if gives is not None and found not in (gives, "DYN"):
        raise ExpressionError(f"gives {found}, not {gives}")


def _environment(variables: Collection[Variable]) -> "cel.Env":
    # It takes 14 MB of memory in each process, and few mirrors have an expression.
    from cel_expr_python import cel  # noqa: PLC0415
    from cel_expr_python.ext.ext_strings import ExtStrings  # noqa: PLC0415

    kinds = {
        Variable.HEADERS: cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
        Variable.TIMESTAMP: cel.Type.TIMESTAMP,
        Variable.PARTITION: cel.Type.STRING,
    }
    declared = {str(each): kinds.get(each, cel.Type.DYN) for each in variables}
    return cel.NewEnv(variables=declared, extensions=[ExtStrings()])


def _compiled(environment: "cel.Env", text: str) -> "cel.Expression":
    try:
        return environment.compile(text)
    except RuntimeError as error:
        raise ExpressionError(_said(str(error))) from error


def _needs(text: str) -> frozenset[Variable]:
    """The variables without which ``text`` is no expression: only they are made for a record."""
    return frozenset(each for each in Variable if not _compiles(text, set(Variable) - {each}))


def _compiles(text: str, variables: Collection[Variable]) -> bool:
    try:
        _environment(variables).compile(text)
    except RuntimeError:
        return False
    return True


def _answer(expression: "cel.Expression", activation: "cel.Activation") -> object:
    try:
        answer = expression.eval(activation)
        found: object = answer.plain_value()
    except (RuntimeError, TypeError) as error:
        raise UnfitError(EXPRESSION, _said(str(error))) from error
    if answer.type().name() == "ERROR":
        raise UnfitError(EXPRESSION, _said(str(found)))
    return found


def _said(text: str) -> str:
    """What the library says, without its code and its drawing of the place."""
    said = _PICTURE.sub("", _CODE.sub("", text))
    return said.replace("Applying SELECT to non-message type", "a field is asked of what is no object")
