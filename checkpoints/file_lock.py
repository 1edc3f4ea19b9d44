"""An operating system's lock on a file, which ends with its process, however that ends."""

import fcntl
import os
from pathlib import Path

from checkpoints.base import StoreBusyError


class FileLock:
    """Held from the moment it is made until ``release``. Blocking: not for the event loop's thread.

    The lock file holds the owner's process id, for people. It stays behind when the lock is released: removing it
    would let two processes lock two files of the same name.
    """

    def __init__(self, path: Path, guarded: Path) -> None:
        """Raises ``StoreBusyError`` at once when another holder exists, and ``OSError`` where no file can be made."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise _busy(guarded, owner) from None
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        os.close(self._descriptor)


def _busy(guarded: Path, owner: str) -> StoreBusyError:
    if owner == str(os.getpid()):
        cause = "another mirror of this process owns it"
        hint = "give each mirror a file of its own with checkpoints.sqlite.path"
    else:
        cause = f"process {owner or '(unknown)'} owns it"
        hint = "stop that process first, or name another file with checkpoints.sqlite.path"
    return StoreBusyError(f"own the checkpoints in {guarded}", cause, hint)
