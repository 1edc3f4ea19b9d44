"""The functions of ``record_functions`` as steps of a mirror, and what they make of generated records."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support import record_functions
from tests.support.record_functions import MOST, is_left_out
from tests.support.records import TestRecord

_FILE = Path(record_functions.__file__)
TEXT = _FILE.read_text()


def steps(function: str = "parted") -> Mapping[str, Any]:
    """``function`` as a step, found where it stands, and not as a part of the tests."""
    return {"transforms": [{"python": f"{_FILE.stem}:{function}", "path": str(_FILE.parent)}]}


def made(sent: Iterable[TestRecord]) -> dict[bytes, list[int]]:
    """What ``parted`` makes of ``sent``: of each key in the sink the ids of what is to arrive, in order."""
    found: dict[bytes, list[int]] = {}
    for record in sent:
        key = record.key.encode()
        parts = 0 if is_left_out(record.id) else 3 if record.id % 5 == 1 else 1
        for part in range(parts):
            found.setdefault(key + b"-other" if part == 1 else key, []).append(record.id * MOST + part)
    return found


def count(records: Mapping[bytes, list[int]]) -> int:
    return sum(map(len, records.values()))
