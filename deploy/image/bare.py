"""Takes out of the system that it runs in what a mirror never needs. The Dockerfile calls it.

Nothing is left that installs packages, and no program runs as another user than its caller.
"""

import os
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_LIBRARY = ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo", "turtle.py")
_PREFIX = ("bin/2to3*", "bin/idle*", "bin/pip*", "bin/pydoc*", "bin/*-config", "include", "lib/pkgconfig", "share")
_SYSTEM = (
    # What installs Debian's packages, and what only its scripts need. The list of packages stays: scanners read it.
    "/etc/apt",
    "/usr/bin/apt*",
    "/usr/bin/dpkg*",
    "/usr/bin/perl*",
    "/usr/lib/apt",
    "/usr/lib/*/libapt-*",
    "/usr/lib/*/perl-base",
    "/usr/share/perl5",
    "/var/cache/apt",
    "/var/cache/debconf",
    "/var/lib/apt",
    "/var/lib/dpkg/info",
    # Tables by which C programs convert between character sets; Python has its own.
    "/usr/lib/*/gconv",
    # What people read and type at a terminal.
    "/usr/share/bash-completion",
    "/usr/share/doc",
    "/usr/share/lintian",
    "/usr/share/locale",
    "/usr/share/man",
    # Clocks that count leap seconds.
    "/usr/share/zoneinfo/right",
)
"""28 MB."""
_SET_ID = stat.S_ISUID | stat.S_ISGID


def surplus() -> Iterator[Path]:
    prefix, library = Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))
    yield from (library / name for name in _LIBRARY)
    yield from library.glob("config-*")
    yield from Path(sysconfig.get_path("purelib")).iterdir()
    for pattern in _PREFIX:
        yield from prefix.glob(pattern)
    for pattern in _SYSTEM:
        yield from Path("/").glob(pattern[1:])


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def set_id_programs(folder: str) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            if not path.is_symlink() and path.stat().st_mode & _SET_ID:
                yield path


def main() -> None:
    for path in list(surplus()):
        remove(path)
    for path in set_id_programs("/usr"):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_SET_ID)


if __name__ == "__main__":
    main()
