"""Tests whose server cannot be had: skipped, but not quietly; failed where servers are required."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NoReturn

import pytest

from tests.support.provision import MissingServerError, required

_MARK = "kmbridge: "


def address_or_skip(address: Callable[[], str]) -> str:
    """The address; else the calling test is skipped, or fails where servers are required."""
    try:
        return address()
    except MissingServerError as error:
        give_up(error)


def give_up(error: MissingServerError) -> NoReturn:
    if required():
        pytest.fail(str(error), pytrace=False)
    pytest.skip(f"{_MARK}{error}")


def loud_lines(skipped: Iterable[pytest.TestReport]) -> list[str]:
    """One line for each missing server: how many tests it cost, what is missing and how to get it."""
    reasons: Counter[str] = Counter()
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        _, mark, text = reason.partition(_MARK)
        if mark:
            reasons[text] += 1
    return [f"{count} TESTS SKIPPED: {text}" for text, count in sorted(reasons.items())]
