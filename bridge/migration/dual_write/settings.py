"""What a dual writer is told."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bridge.migration.dual_write.targets import Target
from connectors.base import SettingsError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


class WhenFull(StrEnum):
    """What happens to the shadow once the spool is full. The authority goes on in either case."""

    BLOCK_SHADOW = "block_shadow"
    """Records wait for room, ``wait_s`` at the most. Then the shadow is cut off: it gets what the spool holds and
    nothing newer, until ``mend``.
    """
    BREAK_KEYS = "break_keys"
    """Nothing waits. Keys of which a record finds no room are broken: the shadow gets nothing newer of them, until
    ``mend``; other keys go on.
    """


@dataclass(frozen=True, slots=True)
class DualWriteSettings:
    """Everything but the first four may be left out."""

    name: str
    """``[a-z0-9][a-z0-9-]{0,59}``; ids begin with it."""
    authority: Target
    """Where a record must be before ``send`` returns. After a swap the spool's roles count, not these."""
    shadow: Target
    spool: Path
    """A file of this writer's own, on a local disk; a lock file and sqlite's own files are beside it."""
    spool_records: int = 1_000_000
    spool_bytes: int = 1024**3
    """What the shadow may be behind, of records as the spool holds them; the file is somewhat larger."""
    when_full: WhenFull = WhenFull.BLOCK_SHADOW
    wait_s: float = 1.0
    """The bound: a full spool holds records up for so long in all, before they go to the authority without it."""
    in_flight_bytes: int = 64 * 1024 * 1024
    """Records that the authority has not answered. Later ones wait in the order of ``send``."""
    close_s: float = 10.0
    """How long leaving waits for the shadow. What it misses then waits in the spool for the next start."""
    settle_s: float = 5.0
    """After a start: how long a call that a crash cut off may still land. What an end does not have is looked for again
    then.
    """

    def __post_init__(self) -> None:
        """Raises ``SettingsError``."""
        if not _NAME.fullmatch(self.name):
            raise SettingsError("dual write", f"name {self.name!r} is not {_NAME.pattern}")
        if self.authority.label == self.shadow.label:
            raise SettingsError("dual write", f"authority and shadow are one: {self.shadow.label}", "name another one")
        if min(self.spool_records, self.spool_bytes, self.in_flight_bytes) <= 0:
            raise SettingsError("dual write", "spool_records, spool_bytes and in_flight_bytes must be above 0")
