"""Finding a function by its name."""

import importlib
import inspect
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path

from bridge.transforms.answers import told
from connectors.base import SettingsError


def load(reference: str, folder: Path) -> Callable[..., object]:
    """The function that ``MODULE:FUNCTION`` names; ``folder`` comes before Python's own places, as a script's does.

    Blocks: it runs what stands in the module. Raises ``SettingsError``.
    """
    module_name, _, name = reference.partition(":")
    here = str(folder.resolve())
    if here not in sys.path:
        # For good: the module may import others from there at any time.
        sys.path.insert(0, here)
    operation = f"load {reference}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise SettingsError(
            operation, str(error), f"looked for in {here} (path), then in Python's own places"
        ) from error
    except Exception as error:
        raise SettingsError(operation, told(error), "the module cannot be imported as it is") from error
    try:
        function = reduce(getattr, name.split("."), module)
    except AttributeError as error:
        raise SettingsError(operation, str(error), f"read from {module.__file__}") from error
    if not callable(function):
        raise SettingsError(operation, f"{name} is {type(function).__name__}", "name a function")
    if inspect.isasyncgenfunction(function):
        raise SettingsError(operation, "it is an async generator", "return a list instead of yielding")
    return function


def is_async(function: Callable[..., object]) -> bool:
    """Whether it is awaited, in the event loop."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
