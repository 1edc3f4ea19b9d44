"""Amazon's own client library: what it makes of an aggregate, and an aggregate as its message classes make it."""

import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from tests.support.provision import kcl_jars

UserRecord = tuple[bytes, bytes]
"""Key and data."""

_PROGRAM = Path(__file__).with_name("Aggregates.java")


def unpack(entries: Sequence[UserRecord]) -> list[list[UserRecord]]:
    """The user records of each Kinesis record, as an application sees them in a shard of that record's hash alone.

    Raises ``MissingServerError`` where the library cannot be had, as does ``pack``.
    """
    answers = _answers("unpack", entries)
    return [list(zip(words[::2], words[1::2], strict=True)) for words in answers]


def pack(aggregates: Sequence[Sequence[UserRecord]]) -> list[bytes]:
    """The data of one Kinesis record for each list of user records."""
    return [data for (data,) in _answers("pack", [list(chain.from_iterable(records)) for records in aggregates])]


def _answers(request: str, arguments: Iterable[Sequence[bytes]]) -> list[list[bytes]]:
    """One answer a request, all by one run of the program, which takes two seconds to start."""
    command = ("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{kcl_jars()}/*", str(_PROGRAM))
    lines = [" ".join((request, *(b64encode(word).decode() for word in words))) for words in arguments]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [[b64decode(word) for word in line.split(" ") if line] for line in done.stdout.splitlines()]
