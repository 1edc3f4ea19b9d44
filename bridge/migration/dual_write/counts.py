"""What a dual writer has done so far, and where it stands."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DualWriteCounts:
    """One moment. Totals count from the process's start."""

    authority: str
    """The label of the end that has this role now."""
    shadow: str
    accepted: int
    """Records that were handed to ``send``."""
    authority_written: int
    authority_rejected: int
    """Records that the authority can never take: their senders were told."""
    waiting: int
    """Records whose senders have no answer yet."""
    shadow_written: int
    shadow_rejected: Mapping[str, int]
    """By reason: the shadow can never take them, and ``verify`` finds them missing."""
    shadow_skipped: int
    """Records that the shadow did not get because their key is broken or it is blocked."""
    spool_records: int
    """Journalled, and not settled with the shadow."""
    spool_bytes: int
    shadow_lag_s: float
    """For how long the oldest of them has been waiting."""
    broken_keys: int
    is_blocked: bool
    """Whether the shadow gets nothing that is newer than what the spool holds."""
    healed: Mapping[str, int]
    """Records of unknown outcome that an earlier life left, by what became of them: ``written``, ``dropped`` (they
    had not reached the authority), ``assumed`` (an authority that carries no ids cannot tell, so it is taken to have
    them).
    """
    look_backs: int
    """How often an end was read to find out what it has."""
    swaps: int
    """Since the spool was made."""
    shadow_trouble: str
    """Why nothing reaches the shadow at the moment; empty where nothing is in the way."""


@dataclass(slots=True)
class Tally:
    """What is counted as it happens."""

    accepted: int = 0
    authority_written: int = 0
    authority_rejected: int = 0
    shadow_written: int = 0
    shadow_rejected: Counter[str] = field(default_factory=Counter)
    shadow_skipped: int = 0
    healed: Counter[str] = field(default_factory=Counter)
    look_backs: int = 0
    swaps: int = 0
    shadow_trouble: str = ""
