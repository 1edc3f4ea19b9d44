"""The table of a KCL application, which has the application's name."""

from checkpoints.dynamodb.table import Purpose, Table

LEASES = Purpose(
    key=("leaseKey",),
    section="lease_table",
    throttled="raise the table's capacity, or try again later",
    missing="check the application's name, region and account: its table is named as it is, and is made when it starts",
    uncreated="",
)


def lease_table(application: str, region: str | None = None, endpoint_url: str | None = None) -> Table:
    """Where the leases of ``application`` are. ``region`` None leaves it to the environment or profile."""
    return Table(application, region, endpoint_url, LEASES)
