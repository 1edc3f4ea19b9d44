"""The brokers of a cluster of Amazon MSK, which its ARN stands for.

Source of the names: the service model of ``kafka``, 2018-11-14.
"""

from typing import Literal

from connectors.base import RefusedError
from connectors.kafka.auth import Kind
from connectors.kafka.aws.identity import Identity, explained

Connectivity = Literal["private", "public", "vpc"]

_BEFORE = "BootstrapBrokerString"
_CONNECTIVITY = {"private": "", "public": "Public", "vpc": "VpcConnectivity"}
_AUTH = {"none": "", "tls": "Tls", "scram": "SaslScram", "iam": "SaslIam"}
_OFFERS = {
    f"{_BEFORE}{prefix}{suffix}": (place, kind)
    for place, prefix in _CONNECTIVITY.items()
    for kind, suffix in _AUTH.items()
}


def bootstrap_brokers(identity: Identity, cluster_arn: str, kind: Kind, connectivity: Connectivity) -> tuple[str, ...]:
    """``HOST:PORT`` of the brokers for clients that come as ``kind`` from where ``connectivity`` says. Blocks.

    Raises ``RefusedError`` where the cluster is not, offers nothing of the kind, or may not be asked, and
    ``UnreachableError`` without an answer.
    """
    operation = f"find the brokers of {cluster_arn}"
    client = identity.client("kafka")
    with explained(operation):
        answer = client.get_bootstrap_brokers(ClusterArn=cluster_arn)
    offers = {_OFFERS[name]: str(text) for name, text in answer.items() if name in _OFFERS and text}
    if (connectivity, kind) in offers:
        return tuple(offers[connectivity, kind].split(","))
    raise RefusedError(
        operation,
        f"the cluster offers no brokers for auth {kind} and msk_connectivity {connectivity}; "
        f"it offers {', '.join(f'{kind} ({place})' for place, kind in sorted(offers)) or 'none at all yet'}",
        "choose one of these with auth and msk_connectivity, or turn the other on at the cluster",
    )
