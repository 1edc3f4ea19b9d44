"""AWS's own price list, asked for the rates of one region."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace as with_changed

from bridge.planning.prices.price_list import SERVICES, products, rates
from bridge.planning.prices.table import DEFAULT_REGION, PriceTable
from connectors.kafka.aws.identity import Identity, explained

_REGION = "us-east-1"
"""It is asked there for all regions."""


def asked(table: PriceTable, region: str, now_ms: int) -> PriceTable:
    """``table`` with the rates of ``region`` as AWS tells them now. Blocks for some seconds.

    Raises ``RefusedError`` without credentials or the permission, ``UnreachableError`` without an answer, and
    ``UsageError`` where the list has nothing of ``region``.
    """
    operation = f"ask AWS for the prices of {region}"
    client = Identity(_REGION).client("pricing")
    with explained(operation):
        answers = [answer for service in SERVICES for answer in _answers(client, service, region)]
    whose = region if region in table.regions else DEFAULT_REGION
    found = rates(region, products(answers), table.rates(whose), f"{whose}, {table.as_of}")
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
    return with_changed(table, as_of=today, regions={**table.regions, region: found})


def _answers(client: Any, service: str, region: str) -> Iterator[str]:
    filters = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}]
    for page in client.get_paginator("get_products").paginate(ServiceCode=service, Filters=filters):
        yield from page["PriceList"]
