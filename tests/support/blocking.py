"""Catching product code that blocks the event loop."""

from collections.abc import Iterator
from contextlib import contextmanager

import blockbuster.blockbuster
import pytest
from blockbuster import BlockBuster, BlockingError

_PACKAGES = ["bridge", "connectors", "checkpoints"]

# Where third parties read files of their own installation, once, with no asynchronous way to do so.
_PERMITTED = {
    "<frozen importlib._bootstrap>": {"_find_and_load"},
    "botocore/loaders.py": {"load_file", "list_available_services", "exists"},
    "botocore/configloader.py": {"raw_config_parse"},
    "botocore/session.py": {"full_config", "get_config_variable"},
    "ssl.py": {"create_default_context"},
}


@contextmanager
def blocking_calls_found() -> Iterator[list[str]]:
    """Raise from every blocking call that the packages make while their thread runs an event loop.

    The list names those calls too, since the code at fault may swallow what is raised.
    """
    calls: list[str] = []

    class _NotedError(BlockingError):
        def __init__(self, function: str) -> None:
            super().__init__(function)
            calls.append(str(self))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blockbuster.blockbuster, "BlockingError", _NotedError)
        detector = BlockBuster(scanned_modules=_PACKAGES)
        for function in detector.functions.values():
            for file, names in _PERMITTED.items():
                function.can_block_in(file, names)
        detector.activate()
        try:
            yield calls
        finally:
            detector.deactivate()
