"""The judgement on a mirror: whether the other side holds the same records, each key in its order."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item", bound=Hashable)

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. Text names up to five examples of each fault."""

    expected: int
    """Records that were to arrive."""
    arrived: int
    """Records that did, with those that did so twice."""
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    """Arrived, but never sent, or under another key."""
    repeated: tuple[str, ...]
    """Arrived more than once, and not as part of a permitted re-run."""
    disordered: tuple[str, ...]
    """Keys whose records do not stand in the order in which they were sent."""
    rerun: int = 0
    """Records that arrived again as part of a permitted re-run."""

    @property
    def ok(self) -> bool:
        return not (self.missing or self.unexpected or self.repeated or self.disordered)

    def __str__(self) -> str:
        lines = [f"{self.arrived} of {self.expected} records arrived, {self.rerun} of them as re-run"]
        for name in ("missing", "unexpected", "repeated", "disordered"):
            found: tuple[str, ...] = getattr(self, name)
            if found:
                lines.append(f"{name}: {len(found)}, as {', '.join(found[:_EXAMPLES])}")
        return "; ".join(lines)


def check_exact(expected: Mapping[Key, Sequence[Item]], arrived: Mapping[Key, Sequence[Item]]) -> Verdict:
    """Every record once and every key in order. The records of a key must differ from one another."""
    return _judge(expected, arrived, reruns=False)


def check_folded(expected: Mapping[Key, Sequence[Item]], arrived: Mapping[Key, Sequence[Item]]) -> Verdict:
    """As ``check_exact``, but a restart may have sent a stretch again.

    After a record of a key comes the key's next one, or the sequence begins again at an earlier one (or the same): it
    never leaps ahead of what has arrived, nor leaves one out within a re-run.
    """
    return _judge(expected, arrived, reruns=True)


def _judge(expected: Mapping[Key, Sequence[Item]], arrived: Mapping[Key, Sequence[Item]], *, reruns: bool) -> Verdict:
    keys = sorted(expected.keys() | arrived.keys(), key=repr)
    verdicts = [_judge_key(key, expected.get(key, ()), arrived.get(key, ()), reruns=reruns) for key in keys]
    return Verdict(
        expected=sum(verdict.expected for verdict in verdicts),
        arrived=sum(verdict.arrived for verdict in verdicts),
        missing=tuple(chain.from_iterable(verdict.missing for verdict in verdicts)),
        unexpected=tuple(chain.from_iterable(verdict.unexpected for verdict in verdicts)),
        repeated=tuple(chain.from_iterable(verdict.repeated for verdict in verdicts)),
        disordered=tuple(chain.from_iterable(verdict.disordered for verdict in verdicts)),
        rerun=sum(verdict.rerun for verdict in verdicts),
    )


def _judge_key(key: Hashable, sent: Sequence[Item], came: Sequence[Item], *, reruns: bool) -> Verdict:
    places = {item: place for place, item in enumerate(sent)}
    if len(places) != len(sent):
        raise ValueError(f"records of key {key!r} cannot be told apart")
    times = Counter(came)
    walk = [places[item] for item in came if item in places]
    in_order = _is_rerun_walk(walk) if reruns else _rises(walk)
    permitted = reruns and in_order
    twice = [item for item, count in times.items() if count > 1 and item in places]
    return Verdict(
        expected=len(sent),
        arrived=len(came),
        missing=_named(key, (item for item in sent if item not in times)),
        unexpected=_named(key, (item for item in times if item not in places)),
        repeated=() if permitted else _named(key, twice),
        disordered=() if in_order else (repr(key),),
        rerun=len(walk) - len(set(walk)) if permitted else 0,
    )


def _rises(walk: Sequence[int]) -> bool:
    """Whether first arrivals are in order; what came twice is another fault than what came too early."""
    first_arrivals = list(dict.fromkeys(walk))
    return first_arrivals == sorted(first_arrivals)


def _is_rerun_walk(walk: Sequence[int]) -> bool:
    """Whether each step goes to the next record or back. Passing over a record that never arrived is no leap."""
    ranks = {place: rank for rank, place in enumerate(sorted(set(walk)))}
    steps = [ranks[place] for place in walk]
    return all(after <= before + 1 for before, after in pairwise([-1, *steps]))


def _named(key: Hashable, items: Iterable[Hashable]) -> tuple[str, ...]:
    return tuple(f"{key!r}: {item!r}" for item in items)
