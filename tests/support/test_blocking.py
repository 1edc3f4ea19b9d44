"""Product code that blocks the event loop is caught, even where it swallows the error."""

import sqlite3
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from blockbuster import BlockingError

import bridge
from tests.support.blocking import blocking_calls_found


@pytest.fixture
def product_sleep() -> Callable[[], None]:
    """A function whose code stands in a product folder, as the detector sees it, and which blocks."""
    module = types.ModuleType("bridge_sleeper")
    file = Path(str(bridge.__file__)).parent / "sleeper.py"
    exec(compile("import time\ndef sleep():\n    time.sleep(0.001)\n", str(file), "exec"), module.__dict__)
    sleep: Callable[[], None] = module.sleep
    return sleep


async def test_a_blocking_call_of_the_product_is_raised_and_noted(product_sleep: Callable[[], None]) -> None:
    with blocking_calls_found() as calls, pytest.raises(BlockingError):
        product_sleep()
    assert calls == ["Blocking call to time.sleep"]


def test_blocking_outside_an_event_loop_is_nobodys_business(product_sleep: Callable[[], None]) -> None:
    with blocking_calls_found() as calls:
        product_sleep()
    assert calls == []


async def test_tests_themselves_may_block(tmp_path: Path) -> None:
    with blocking_calls_found() as calls:
        sqlite3.connect(tmp_path / "file.db").close()
    assert calls == []
