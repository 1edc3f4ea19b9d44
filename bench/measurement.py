"""What a running process has used, as Linux tells it under /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB_PER_MB = 1000 * 1000 / 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu_s`` is user and system time of all threads, ``peak_mb`` the largest resident set so far."""

    cpu_s: float
    peak_mb: float

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Of the process ``pid``, which must be alive."""
        # The command, the second field, may hold spaces and parentheses: count from behind it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return cls(ticks / _TICKS_PER_S, _peak_kib(pid) / _KIB_PER_MB)


def _peak_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} has ended")
