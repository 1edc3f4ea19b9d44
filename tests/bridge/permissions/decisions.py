"""What a broker was asked for, by its own record, beside what a policy allows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.permissions import Policy

_KAFKA = "kafka-cluster:"
_LINE = re.compile(
    r"Principal = User:(?P<user>\S+) is (?P<verdict>Allowed|Denied) operation = (?P<operation>\w+) from host = \S+ "
    r"on resource = (?P<kind>\w+):LITERAL:(?P<name>\S+) for request = (?P<request>\w+)"
)
_ACTIONS = {
    ("Cluster", "IDEMPOTENT_WRITE"): "WriteDataIdempotently",
    ("Topic", "DESCRIBE"): "DescribeTopic",
    ("Topic", "DESCRIBE_CONFIGS"): "DescribeTopicDynamicConfiguration",
    ("Topic", "READ"): "ReadData",
    ("Topic", "WRITE"): "WriteData",
    ("Topic", "CREATE"): "CreateTopic",
    ("Group", "DESCRIBE"): "DescribeGroup",
    ("Group", "READ"): "AlterGroup",
    ("TransactionalId", "DESCRIBE"): "DescribeTransactionalId",
    ("TransactionalId", "WRITE"): "AlterTransactionalId",
}
"""What Amazon MSK calls them."""


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
        uncalled = {
            (action, pattern)
            for action, pattern in _rights(policy)
            if not any(each.is_allowed and each.action == action and re.fullmatch(pattern, each.name) for each in taken)
        }
        return uncalled, {each for each in taken if not each.is_allowed}

    def _decision(self, line: str) -> Decision | None:
        found = _LINE.search(line)
        if found is None or found["user"] != self._user:
            return None
        action = _ACTIONS.get((found["kind"], found["operation"]), f"{found['kind']} {found['operation']}")
        return Decision(found["verdict"] == "Allowed", action, found["name"], found["request"])


def _rights(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each action with what the name of its thing has to match. To connect is none that a broker with ACLs knows."""
    for statement in policy.statements:
        for action in statement.actions - {f"{_KAFKA}Connect"}:
            if action.startswith(_KAFKA):
                for arn in statement.resources:
                    name = arn.rpartition("/")[2]
                    is_cluster = ":cluster/" in arn
                    yield action.removeprefix(_KAFKA), ".*" if is_cluster else re.escape(name).replace(r"\*", ".*")
