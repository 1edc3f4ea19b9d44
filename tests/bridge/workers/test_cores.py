from pathlib import Path

import pytest

from bridge.workers import cores
from bridge.workers.cores import usable_cores


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_allowed_cores", lambda: 8)


def put(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_without_a_limit_it_is_every_core_that_is_allowed(tmp_path: Path) -> None:
    """On systems without control groups, and in groups without a quota."""
    assert usable_cores(tmp_path) == 8
    put(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000")
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert usable_cores(tmp_path) == 8


@pytest.mark.parametrize(("quota", "count"), [("50000", 1), ("100000", 1), ("150000", 2), ("400000", 4), ("900000", 8)])
def test_a_containers_share_counts(tmp_path: Path, quota: str, count: int) -> None:
    """Both generations of control groups; a part of a core is one more process."""
    put(tmp_path / "2", "sys/fs/cgroup/cpu.max", f"{quota} 100000")
    put(tmp_path / "1", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota)
    put(tmp_path / "1", "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert usable_cores(tmp_path / "2") == count
    assert usable_cores(tmp_path / "1") == count


def test_the_tightest_limit_above_holds(tmp_path: Path) -> None:
    """As for a service with a quota on its slice."""
    put(tmp_path, "proc/self/cgroup", "1:cpu:/\n0::/system.slice/mirror.service")
    put(tmp_path, "sys/fs/cgroup/system.slice/cpu.max", "300000 100000")
    put(tmp_path, "sys/fs/cgroup/system.slice/mirror.service/cpu.max", "600000 100000")
    assert usable_cores(tmp_path) == 3
