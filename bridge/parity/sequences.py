"""The records of one key on both sides, told apart by nothing but what they hold."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from bridge.parity.report import Findings, Identity, Kind


@dataclass(frozen=True, slots=True)
class Item:
    identity: Identity
    """Where it stands on its side."""
    digest: int

    @property
    def place(self) -> str:
        return f"{self.identity.partition}/{self.identity.position}"


def name_differences(source: Sequence[Item], sink: Sequence[Item], findings: Findings, *, in_order: bool) -> None:
    """What is missing, doubled, altered and out of order in ``sink``; without ``in_order`` nothing is the latter.

    What neither side knows of the other is taken for the same record altered, in the order in which it comes.
    """
    expected, arrived = Counter(item.digest for item in source), Counter(item.digest for item in sink)
    lacking = deque(_beyond(source, arrived))
    for item in _beyond(sink, expected):
        if item.digest in expected:
            findings.add(Kind.DOUBLED, item.identity, item.place)
        elif lacking:
            findings.add(Kind.ALTERED, lacking.popleft().identity, item.place)
        else:
            findings.add(Kind.EXTRA, item.identity, item.place)
    for item in lacking:
        findings.add(Kind.MISSING, item.identity)
    if in_order:
        _name_disorder(source, sink, findings)


def buried(source: Sequence[Item], sink: Sequence[Item], letters: Sequence[Item]) -> list[Item]:
    """Those of ``source`` that ``sink`` lacks, each with one of ``letters`` that holds the same."""
    left, found = Counter(item.digest for item in letters), []
    for item in _beyond(source, Counter(item.digest for item in sink)):
        if left[item.digest]:
            left[item.digest] -= 1
            found.append(item)
    return found


def _name_disorder(source: Sequence[Item], sink: Sequence[Item], findings: Findings) -> None:
    """Of what both sides have, the fewest records that would have to be moved."""
    first = _common(source, sink)
    second = _common(sink, source)
    matcher = SequenceMatcher(None, [item.digest for item in first], [item.digest for item in second], autojunk=False)
    kept = {index for block in matcher.get_matching_blocks() for index in range(block.b, block.b + block.size)}
    for index, item in enumerate(second):
        if index not in kept:
            findings.add(Kind.REORDERED, item.identity, item.place)


def _beyond(items: Sequence[Item], others: Counter[int]) -> list[Item]:
    """Those of which there are more than in ``others``: the last of each."""
    left = Counter(others)
    found: list[Item] = []
    for item in items:
        if left[item.digest]:
            left[item.digest] -= 1
        else:
            found.append(item)
    return found


def _common(items: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    """Those that are in ``others`` too, as often as there, the first of each."""
    beyond = set(map(id, _beyond(items, Counter(item.digest for item in others))))
    return [item for item in items if id(item) not in beyond]
