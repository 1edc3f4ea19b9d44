"""What a broker was asked for, by its own record, beside what a policy allows."""

import re
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin._resource import ResourceType

from bridge.permissions import Policy
from tests.bridge.permissions.acls import ACLS, rights

_LINE = re.compile(
    r"Principal = User:(?P<user>\S+) is (?P<verdict>Allowed|Denied) operation = (?P<operation>\w+) from host = \S+ "
    r"on resource = (?P<kind>\w+):LITERAL:(?P<name>\S+) for request = (?P<request>\w+)"
)
_KINDS = {
    ResourceType.BROKER: "Cluster",
    ResourceType.TOPIC: "Topic",
    ResourceType.GROUP: "Group",
    ResourceType.TRANSACTIONAL_ID: "TransactionalId",
}
_ACTIONS = {(_KINDS[kind], operation.name): action for action, (kind, operation) in ACLS.items()}
"""What Amazon MSK calls what the broker's record names so."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One question that the authorizer answered."""

    is_allowed: bool
    action: str
    """As IAM names it for MSK, or as the broker does where MSK has no name for it."""
    name: str
    """Of the topic, the group or the transactional id."""
    request: str


class Decisions:
    """Those about ``user`` from now on, in the file in which the authorizer writes."""

    def __init__(self, file: str, user: str) -> None:
        self._file = Path(file)
        self._begin = self._file.stat().st_size
        self._user = user

    def taken(self) -> set[Decision]:
        with self._file.open(encoding="utf-8") as lines:
            lines.seek(self._begin)
            return {each for line in lines if (each := self._decision(line)) is not None}

    def compared(self, policy: Policy) -> tuple[set[tuple[str, str]], set[Decision]]:
        """What ``policy`` allows at the broker and nobody asked for, action and name; and what was denied. Blocks."""
        taken = self.taken()
        allowed = {(action, _named(arn)) for action, arn in rights(policy)}
        uncalled = {
            (action, pattern)
            for action, pattern in allowed
            if not any(each.is_allowed and each.action == action and re.fullmatch(pattern, each.name) for each in taken)
        }
        return uncalled, {each for each in taken if not each.is_allowed}

    def _decision(self, line: str) -> Decision | None:
        found = _LINE.search(line)
        if found is None or found["user"] != self._user:
            return None
        action = _ACTIONS.get((found["kind"], found["operation"]), f"{found['kind']} {found['operation']}")
        return Decision(found["verdict"] == "Allowed", action, found["name"], found["request"])


def _named(arn: str) -> str:
    """What the name of a thing has to match for a right of ``arn``."""
    return ".*" if ":cluster/" in arn else re.escape(arn.rpartition("/")[2]).replace(r"\*", ".*")
