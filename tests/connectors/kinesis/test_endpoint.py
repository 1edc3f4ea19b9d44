"""Where requests go."""

import pytest

from connectors.kinesis.endpoint import Endpoints, endpoints
from connectors.kinesis.stream import StreamName

_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"


def test_a_stream_by_name_is_at_the_regions_endpoint() -> None:
    """Both planes share it."""
    found = endpoints(StreamName("orders"), "eu-west-1", None, fips=False, dual_stack=False)
    assert found == Endpoints("https://kinesis.eu-west-1.amazonaws.com", "https://kinesis.eu-west-1.amazonaws.com")


def test_a_stream_by_arn_is_at_its_accounts_endpoints() -> None:
    """Another account's stream can be reached only there; data and control plane differ."""
    found = endpoints(StreamName.of(_ARN), "eu-west-1", None, fips=False, dual_stack=False)
    assert found.of("GetRecords") == "https://123456789012.data-kinesis.eu-west-1.amazonaws.com"
    assert found.of("ListShards") == "https://123456789012.control-kinesis.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("stream", ["orders", _ARN])
def test_an_endpoint_that_is_given_wins(stream: str) -> None:
    """Whatever names the stream, calls go where the user says."""
    found = endpoints(StreamName.of(stream), "eu-west-1", "http://localhost:4567", fips=False, dual_stack=False)
    assert found == Endpoints("http://localhost:4567", "http://localhost:4567")


def test_both_names_of_a_stream_are_sent() -> None:
    """The ARN reaches other accounts, the name satisfies servers that know no ARN."""
    assert StreamName.of(_ARN).parameters() == {"StreamName": "orders", "StreamARN": _ARN}
    assert StreamName.of("orders").parameters() == {"StreamName": "orders"}
