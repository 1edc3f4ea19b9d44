"""A table: where it is, what it is for, and how it is made where it is missing."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Purpose:
    """What tables of a kind have in common: their keys, and what a person is told where one is in trouble.

    In ``missing`` and ``uncreated`` the text ``{create}`` stands for the command that makes the table.
    """

    key: tuple[str, ...]
    """The attributes that name an item, all of them text: the partition key, and the sort key where there is one."""
    section: str
    """Where the table is named."""
    endpoint: str
    """Where its address is set, beside its region."""
    throttled: str
    missing: str
    uncreated: str
    """What follows the permission that CreateTable lacks."""

    @property
    def roles(self) -> Mapping[str, str]:
        """What each attribute of the key is to DynamoDB."""
        return dict(zip(self.key, ("HASH", "RANGE"), strict=False))

    @property
    def network(self) -> str:
        return f"check {self.endpoint} and the region, the network, and that DynamoDB is what answers there"

    @property
    def foreign(self) -> str:
        return f"it is left as it is; name another table with {self.section}.table"


CHECKPOINTS = Purpose(
    key=("mirror", "partition"),
    section="checkpoints.dynamodb",
    endpoint="checkpoints.dynamodb.endpoint_url",
    throttled="it is tried again; raise the table's capacity, or checkpoint_interval. All items of a mirror are in one "
    "partition of the table, which takes 1,000 write units a second",
    missing="restore it, or start again with an empty one, which this makes, too: {create}",
    uncreated="; or create the table with: {create}",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Where it is. ``region`` None leaves it to the environment or profile, ``endpoint_url`` None to the region."""

    name: str
    region: str | None = None
    endpoint_url: str | None = None
    purpose: Purpose = CHECKPOINTS

    def __str__(self) -> str:
        place = ", ".join(filter(None, (self.region, self.endpoint_url)))
        return f"table {self.name} ({place})" if place else f"table {self.name}"

    @property
    def definition(self) -> Mapping[str, object]:
        """What CreateTable is called with."""
        return {
            "TableName": self.name,
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in self.purpose.key],
            "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role in self.purpose.roles.items()],
            "BillingMode": "PAY_PER_REQUEST",
        }

    @property
    def create_command(self) -> str:
        """What a person types to create it."""
        words = ["aws", "dynamodb", "create-table", "--table-name", self.name]
        if self.region is not None:
            words += ["--region", self.region]
        if self.endpoint_url is not None:
            words += ["--endpoint-url", self.endpoint_url]
        words += ["--attribute-definitions"]
        words += [f"AttributeName={name},AttributeType=S" for name in self.purpose.key]
        words += ["--key-schema"]
        words += [f"AttributeName={name},KeyType={role}" for name, role in self.purpose.roles.items()]
        words += ["--billing-mode", "PAY_PER_REQUEST"]
        return shlex.join(words)

    def told(self, hint: str) -> str:
        """A text of the purpose, with this table's command where it is asked for."""
        return hint.replace("{create}", self.create_command)
