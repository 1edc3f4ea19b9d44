"""The table, and making it where it is missing."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Where it is. ``region`` None leaves it to the environment or profile, ``endpoint_url`` None to the region."""

    name: str
    region: str | None = None
    endpoint_url: str | None = None

    def __str__(self) -> str:
        place = ", ".join(filter(None, (self.region, self.endpoint_url)))
        return f"table {self.name} ({place})" if place else f"table {self.name}"

    @property
    def definition(self) -> Mapping[str, object]:
        """What CreateTable is called with."""
        return {
            "TableName": self.name,
            "AttributeDefinitions": [
                {"AttributeName": "mirror", "AttributeType": "S"},
                {"AttributeName": "partition", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "mirror", "KeyType": "HASH"},
                {"AttributeName": "partition", "KeyType": "RANGE"},
            ],
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
        words += ["--attribute-definitions", "AttributeName=mirror,AttributeType=S"]
        words += ["AttributeName=partition,AttributeType=S"]
        words += ["--key-schema", "AttributeName=mirror,KeyType=HASH", "AttributeName=partition,KeyType=RANGE"]
        words += ["--billing-mode", "PAY_PER_REQUEST"]
        return shlex.join(words)
