"""The table of a KCL application, which has the application's name."""

from checkpoints.dynamodb.client import Connect, connect
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.table import Purpose, Table

LEASES = Purpose(
    key=("leaseKey",),
    section="lease_table",
    endpoint="lease_endpoint_url",
    throttled="raise the table's capacity, or try again later",
    missing="check the application's name, region and account: its table is named as it is, and is made when it starts",
    uncreated="",
)


def lease_table(application: str, region: str | None = None, endpoint_url: str | None = None) -> Table:
    """Where the leases of ``application`` are. ``region`` None leaves it to the environment or profile."""
    return Table(application, region, endpoint_url, LEASES)


async def is_there(table: Table, *, connect: Connect = connect) -> bool:
    """Whether there is such a table, finished or not. Raises ``CheckpointError`` where that cannot be told."""
    try:
        async with connect(table) as caller:
            await caller.call("DescribeTable", {"TableName": table.name})
    except MissingTableError:
        return False
    return True
