"""A policy of IAM: what is allowed, on what."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

_VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Statement:
    """Allows each of ``actions`` on each of ``resources``. Neither has an order."""

    sid: str
    """Says what for, in letters and digits."""
    actions: frozenset[str]
    resources: frozenset[str]
    condition: str | None = None
    """A key of the request's context that has to be one of ``values``; None: none has to."""
    values: frozenset[str] = frozenset()

    def joined(self, other: "Statement") -> "Statement":
        """What both allow, ``other`` being for the same purpose and under the same condition."""
        return replace(
            self,
            actions=self.actions | other.actions,
            resources=self.resources | other.resources,
            values=self.values | other.values,
        )

    def document(self) -> Mapping[str, Any]:
        """As IAM takes it; the same for equal statements."""
        told: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(self.actions),
            "Resource": sorted(self.resources),
        }
        if self.condition is not None:
            told["Condition"] = {"StringEquals": {self.condition: sorted(self.values)}}
        return told


@dataclass(frozen=True, slots=True)
class Policy:
    """Allows what its statements say; whatever none of them names is refused."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> "Policy":
        """One statement for all that is said for the same purpose, in the order in which purposes come up."""
        purposes: dict[str, Statement] = {}
        for each in statements:
            known = purposes.get(each.sid)
            purposes[each.sid] = each if known is None else known.joined(each)
        return cls(tuple(purposes.values()))

    @property
    def actions(self) -> frozenset[str]:
        """All that is allowed somewhere, as SERVICE:ACTION."""
        return frozenset[str]().union(*(each.actions for each in self.statements))

    def document(self) -> Mapping[str, Any]:
        """As IAM takes it."""
        return {"Version": _VERSION, "Statement": [each.document() for each in self.statements]}

    def text(self) -> str:
        """The same as JSON, for a file."""
        return f"{json.dumps(self.document(), indent=2)}\n"
