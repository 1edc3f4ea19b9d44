"""Takes out of the system that it runs in what a mirror never needs. The Dockerfile calls it.

Nothing is left that installs Python packages, and no program runs as another user than its caller.
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
_SET_ID = stat.S_ISUID | stat.S_ISGID


def surplus() -> Iterator[Path]:
    prefix, library = Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))
    yield from (library / name for name in _LIBRARY)
    yield from library.glob("config-*")
    yield from Path(sysconfig.get_path("purelib")).iterdir()
    for pattern in _PREFIX:
        yield from prefix.glob(pattern)
    # Tables by which C programs convert between character sets, 9 MB; Python has its own.
    yield from Path("/usr/lib").glob("*/gconv")


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
