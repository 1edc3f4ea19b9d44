"""The clusters of Kafka that a mirror works with: what AWS has to say of them, and how clients connect."""

import asyncio
from typing import TypeVar

from bridge.config import Configuration
from bridge.config.auth import AuthSection
from bridge.config.cluster import Found, KafkaCluster, tls_of
from bridge.config.ends import KafkaEnd
from bridge.config.librdkafka import plain
from bridge.groups import together
from connectors.base import UnreachableError
from connectors.kafka.auth import Auth, Bearer, Kind, Scram
from connectors.kafka.aws.brokers import bootstrap_brokers
from connectors.kafka.aws.identity import Identity
from connectors.kafka.aws.secret import login
from connectors.kafka.aws.tokens import Tokens
from connectors.kafka.connection import Connection
from connectors.kafka.login import log_in

ClusterT = TypeVar("ClusterT", bound=KafkaCluster)

LOCATING_S = 26.0
"""Every cluster has let us in, or is reported, within this time; a command has 30 s to say so."""


def connection_of(cluster: KafkaCluster, client_id: str, end: KafkaEnd | None = None) -> Connection:
    """For any client of ``cluster``, which is ``located``; ``end`` is the one that it belongs to, if it does."""
    belongs = end if end is not None else cluster
    librdkafka = plain(belongs.librdkafka) if isinstance(belongs, KafkaEnd) else {}
    return Connection(",".join(cluster.servers), client_id, librdkafka, belongs.login)


async def located(asked: Configuration) -> Configuration:
    """``asked``, with what only AWS knows of its clusters: brokers, passwords and tokens. Nothing else is changed.

    Where a cluster wants to know who we are, it has let us in. Raises ``RefusedError``, each in one line, for what is
    wrong with credentials, certificates and permissions, and ``UnreachableError`` within ``LOCATING_S``.
    """
    found: dict[str, KafkaCluster] = {}

    async def locate(key: str, cluster: KafkaCluster) -> None:
        found[key] = await located_cluster(cluster, asked.group)

    async with together() as tasks:
        for key, cluster in asked.clusters.items():
            tasks.create_task(locate(key, cluster), name=f"locate {key}")
    return asked.with_clusters(found)


async def located_cluster(cluster: ClusterT, client_id: str, patience_s: float = LOCATING_S) -> ClusterT:
    """As ``located``, of one cluster, where we come as the client of this name, within ``patience_s``.

    One that is located already is as it was.
    """
    if not cluster.wants_locating:
        return cluster
    try:
        async with asyncio.timeout(patience_s):
            return await asyncio.to_thread(_located, cluster, client_id)
    except TimeoutError:
        raise UnreachableError(
            f"log in to Kafka at {','.join(cluster.names)}",
            f"no answer within {patience_s:g} s",
            "check address, network, auth and that the brokers run",
        ) from None


def _located(cluster: ClusterT, client_id: str) -> ClusterT:
    auth = _auth(cluster)
    servers = cluster.bootstrap_servers or _brokers(cluster, auth.kind)
    found = cluster.located(Found(servers, auth))
    if auth.kind != "none":
        log_in(connection_of(found, client_id))
    return found


def _brokers(cluster: KafkaCluster, kind: Kind) -> tuple[str, ...]:
    assert cluster.msk_cluster_arn is not None  # noqa: S101 - a cluster is named in one of two ways
    return bootstrap_brokers(_identity(cluster), cluster.msk_cluster_arn, kind, cluster.msk_connectivity)


def _identity(cluster: KafkaCluster) -> Identity:
    """Who we are at AWS for what has to do with ``cluster``."""
    iam = cluster.auth.iam if isinstance(cluster.auth, AuthSection) else None
    if iam is None:
        return Identity(cluster.region)
    return Identity(iam.region or cluster.region, iam.assume_role_arn)


def _auth(cluster: KafkaCluster) -> Auth:
    section = cluster.auth
    if isinstance(section, AuthSection) and section.iam is not None:
        tokens = Tokens(_identity(cluster))
        # A client that cannot get one would say no more than that, after ten seconds.
        tokens.sign()
        return Bearer(tokens, tls_of(section))
    if isinstance(section, AuthSection) and section.scram is not None and section.scram.secret_arn is not None:
        told = login(Identity(section.scram.secret_region), section.scram.secret_arn)
        return Scram(told.username, told.password, tls_of(section))
    return cluster.login
