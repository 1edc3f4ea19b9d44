"""How many processes can work at the same time here."""

import os
from math import ceil, inf
from pathlib import Path, PurePosixPath


def usable_cores(root: Path = Path("/")) -> int:
    """Cores that this process may use: those it may run on, and no more than its control group's share of time.

    ``root`` is where the system's files are. A share of one and a half cores counts as two.
    """
    shares = [_version_2_share(root), _version_1_share(root)]
    return max(1, min(_allowed_cores(), *(ceil(share) if share < inf else _allowed_cores() for share in shares)))


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version_2_share(root: Path) -> float:
    """The least that the group or one above it may use: a limit holds for all below."""
    top = root / "sys/fs/cgroup"
    share = inf
    for group in (PurePosixPath(_own_group(root)), *PurePosixPath(_own_group(root)).parents):
        quota, _, period = _text(top / group.relative_to("/") / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal():
            share = min(share, int(quota) / int(period))
    return share


def _own_group(root: Path) -> str:
    for line in _text(root / "proc/self/cgroup").splitlines():
        if line.startswith("0::/"):
            return line.removeprefix("0::")
    return "/"


def _version_1_share(root: Path) -> float:
    """Of the group that a container sees as its topmost."""
    group = root / "sys/fs/cgroup/cpu"
    quota, period = _text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")
    # No quota is -1.
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else inf


def _text(file: Path) -> str:
    """What a small file holds; nothing where there is none."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
