"""The brokers that a cluster's ARN stands for."""

import pytest

from connectors.base import RefusedError, UnreachableError
from connectors.kafka.auth import Kind
from connectors.kafka.aws.brokers import Connectivity, bootstrap_brokers
from connectors.kafka.aws.identity import Identity
from tests.support.fake_aws import FakeAws

ARN = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/01234567-89ab-cdef-0123-456789abcdef-1"
OFFERED = {
    "BootstrapBrokerString": "b-1:9092,b-2:9092",
    "BootstrapBrokerStringTls": "b-1:9094",
    "BootstrapBrokerStringSaslScram": "b-1:9096",
    "BootstrapBrokerStringSaslIam": "b-1:9098",
    "BootstrapBrokerStringPublicTls": "b-1-public:9194",
    "BootstrapBrokerStringPublicSaslScram": "b-1-public:9196",
    "BootstrapBrokerStringPublicSaslIam": "b-1-public:9198",
    "BootstrapBrokerStringVpcConnectivityTls": "b-1.vpc:14001",
    "BootstrapBrokerStringVpcConnectivitySaslScram": "b-1.vpc:14002",
    "BootstrapBrokerStringVpcConnectivitySaslIam": "b-1.vpc:14003",
}


@pytest.mark.parametrize(
    ("kind", "connectivity", "expected"),
    [
        ("none", "private", ("b-1:9092", "b-2:9092")),
        ("tls", "private", ("b-1:9094",)),
        ("scram", "private", ("b-1:9096",)),
        ("iam", "private", ("b-1:9098",)),
        ("tls", "public", ("b-1-public:9194",)),
        ("scram", "public", ("b-1-public:9196",)),
        ("iam", "public", ("b-1-public:9198",)),
        ("tls", "vpc", ("b-1.vpc:14001",)),
        ("scram", "vpc", ("b-1.vpc:14002",)),
        ("iam", "vpc", ("b-1.vpc:14003",)),
    ],
)
def test_the_brokers_are_those_for_the_auth_and_the_connectivity(
    aws: FakeAws, kind: Kind, connectivity: Connectivity, expected: tuple[str, ...]
) -> None:
    """MSK has a port, and where it is reached from outside a name, for each of them."""
    aws.brokers = OFFERED
    assert bootstrap_brokers(Identity("eu-west-1"), ARN, kind, connectivity) == expected
    assert aws.asked == [f"/v1/clusters/{ARN}/bootstrap-brokers"]


def test_what_the_cluster_does_not_offer_is_named_beside_what_it_offers(aws: FakeAws) -> None:
    """A serverless cluster knows IAM alone."""
    aws.brokers = {"BootstrapBrokerStringSaslIam": "boot-1.c1.kafka-serverless.eu-west-1.amazonaws.com:9098"}
    with pytest.raises(RefusedError) as told:
        bootstrap_brokers(Identity("eu-west-1"), ARN, "scram", "public")
    assert "no brokers for auth scram and msk_connectivity public; it offers iam (private)" in told.value.cause
    assert "msk_connectivity" in told.value.hint


def test_the_missing_permission_is_named(aws: FakeAws) -> None:
    """With the action that has to be granted."""
    aws.refusal = (403, "ForbiddenException")
    with pytest.raises(RefusedError) as told:
        bootstrap_brokers(Identity("eu-west-1"), ARN, "iam", "private")
    assert told.value.hint == "grant kafka:GetBootstrapBrokers on the cluster"
    assert "not for you" in told.value.cause


def test_no_answer_is_not_a_refusal(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint that nobody listens at is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9"):
        bootstrap_brokers(Identity("eu-west-1"), ARN, "iam", "private")


def test_without_credentials_nothing_is_asked(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where they are looked for."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(RefusedError, match="AWS_ACCESS_KEY_ID"):
        bootstrap_brokers(Identity("eu-west-1"), ARN, "iam", "private")
    assert aws.asked == []
