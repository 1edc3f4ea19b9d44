"""Where requests go: an address given by the user, or botocore's own rules for the region and the stream."""

from dataclasses import dataclass
from typing import Any

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader

from connectors.base import SettingsError
from connectors.kinesis.stream import StreamName

_DATA_OPERATIONS = frozenset({"GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of the data plane and of the control plane, which differ for a stream named by its ARN."""

    data: str
    control: str

    def of(self, operation: str) -> str:
        return self.data if operation in _DATA_OPERATIONS else self.control


def endpoints(stream: StreamName, region: str, endpoint_url: str | None, *, fips: bool, dual_stack: bool) -> Endpoints:
    """Reads botocore's rules from disk, so call it from a thread. Raises ``SettingsError`` where no rule applies."""
    if endpoint_url is not None:
        return Endpoints(endpoint_url, endpoint_url)
    loader = create_loader()
    rules = EndpointProvider(
        loader.load_service_model("kinesis", "endpoint-rule-set-1"), loader.load_data("partitions")
    )
    given: dict[str, Any] = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack, **stream.routing()}
    try:
        return Endpoints(
            rules.resolve_endpoint(**given, OperationType="data").url,
            rules.resolve_endpoint(**given, OperationType="control").url,
        )
    except BotoCoreError as error:
        raise SettingsError(
            f"find the endpoint of stream {stream.name} in {region}", str(error), "check the region"
        ) from error
