"""Calls to DynamoDB, their failures explained."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import xform_name

from checkpoints.dynamodb.faults import explained
from checkpoints.dynamodb.table import Table

_TIMEOUT_S = 3.0
"""For a connection, and for an answer, which takes some milliseconds: half the shortest session worth having."""
_ATTEMPTS = 2


class Caller(Protocol):
    """One who can call DynamoDB about one table."""

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        """Make one call. Raises ``CheckpointError`` and the classes of ``faults``, after few attempts."""


Connect = Callable[[Table], AbstractAsyncContextManager[Caller]]
"""Gives a caller for as long as its context is entered."""


class DynamoClient(Caller):
    """Speaks to the table through a client of aiobotocore."""

    def __init__(self, client: Any, table: Table) -> None:
        self._client = client
        self._table = table

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        with explained(action, self._table):
            answer: Mapping[str, object] = await getattr(self._client, xform_name(action))(**parameters)
        return answer


@asynccontextmanager
async def connect(table: Table) -> AsyncIterator[Caller]:
    """A client for as long as the context is entered, with credentials as the AWS tools find them.

    Opens no connection yet. Raises ``StoreRefusedError`` without a region.
    """
    config = AioConfig(
        connect_timeout=_TIMEOUT_S,
        read_timeout=_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        warm_up_loader_caches=True,
    )
    # Botocore reads AWS_DEFAULT_REGION alone; AWS's own containers, and its other tools, know this one.
    region = table.region or os.environ.get("AWS_REGION")
    creating = AioSession().create_client(
        "dynamodb", region_name=region, endpoint_url=table.endpoint_url, config=config
    )
    with explained("Connect", table):
        client = await creating.__aenter__()
    try:
        yield DynamoClient(client, table)
    finally:
        await client.close()
