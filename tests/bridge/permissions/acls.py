"""A policy for MSK as the ACLs of a broker."""

from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from bridge.permissions import Policy

_KAFKA = "kafka-cluster:"
_CLUSTER = "kafka-cluster"
_DEADLINE_S = 10.0
ACLS: Mapping[str, tuple[ResourceType, AclOperation]] = {
    "WriteDataIdempotently": (ResourceType.BROKER, AclOperation.IDEMPOTENT_WRITE),
    "DescribeTopic": (ResourceType.TOPIC, AclOperation.DESCRIBE),
    "DescribeTopicDynamicConfiguration": (ResourceType.TOPIC, AclOperation.DESCRIBE_CONFIGS),
    "ReadData": (ResourceType.TOPIC, AclOperation.READ),
    "WriteData": (ResourceType.TOPIC, AclOperation.WRITE),
    "CreateTopic": (ResourceType.TOPIC, AclOperation.CREATE),
    "DescribeGroup": (ResourceType.GROUP, AclOperation.DESCRIBE),
    "AlterGroup": (ResourceType.GROUP, AclOperation.READ),
    "DescribeTransactionalId": (ResourceType.TRANSACTIONAL_ID, AclOperation.DESCRIBE),
    "AlterTransactionalId": (ResourceType.TRANSACTIONAL_ID, AclOperation.WRITE),
}
"""What Amazon MSK says that its actions stand for; connecting takes no right there."""


class Acls:
    """The rights of one user, at the broker whose open ``address`` this is."""

    def __init__(self, address: str, user: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        self._principal = f"User:{user}"

    def replace(self, policy: Policy) -> None:
        """What ``policy`` allows, and nothing else."""
        self.clear()
        bindings = [self._binding(action, arn) for action, arn in rights(policy)]
        # The client does not take none at all.
        for done in self._admin.create_acls(bindings).values() if bindings else ():
            done.result(_DEADLINE_S)

    def clear(self) -> None:
        # The stub does not know that what is left open matches all.
        anywhere: dict[str, Any] = {"name": None, "host": None}
        every = AclBindingFilter(
            ResourceType.ANY,
            resource_pattern_type=ResourcePatternType.ANY,
            principal=self._principal,
            operation=AclOperation.ANY,
            permission_type=AclPermissionType.ANY,
            **anywhere,
        )
        for done in self._admin.delete_acls([every]).values():
            done.result(_DEADLINE_S)

    def _binding(self, action: str, arn: str) -> AclBinding:
        kind, operation = ACLS[action]
        name = _CLUSTER if kind is ResourceType.BROKER else arn.rpartition("/")[2]
        pattern = ResourcePatternType.PREFIXED if name.endswith("*") else ResourcePatternType.LITERAL
        return AclBinding(kind, name.rstrip("*"), pattern, self._principal, "*", operation, AclPermissionType.ALLOW)


def rights(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each action that ``policy`` allows at the broker, as IAM names it for MSK, with each ARN that it is allowed for.

    To connect is none that a broker with ACLs knows.
    """
    for statement in policy.statements:
        for action in statement.actions - {f"{_KAFKA}Connect"}:
            if action.startswith(_KAFKA):
                for arn in statement.resources:
                    yield action.removeprefix(_KAFKA), arn
