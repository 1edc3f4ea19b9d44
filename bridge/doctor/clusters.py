"""Entering each cluster of Kafka by itself: one that keeps us out keeps nobody from looking at the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.config import Configuration
from bridge.config.cluster import KafkaCluster
from bridge.groups import together
from bridge.keeping.clusters import located_cluster
from connectors.base import ConnectorError, SettingsError


@dataclass(frozen=True, slots=True)
class Entered:
    """A configuration with what AWS knows of those clusters that have let us in, and why others have not, by section.

    Of these neither brokers nor logins may be known: nobody may use them.
    """

    configuration: Configuration
    lost: Mapping[str, ConnectorError]

    def check(self, cluster: KafkaCluster | None) -> None:
        """Raises why ``cluster``, one of the configuration's, has kept us out, if it has."""
        for section, error in self.lost.items():
            if self.configuration.clusters[section] is cluster:
                raise error


async def entered(asked: Configuration, patience_s: float) -> Entered:
    """Every cluster of ``asked`` within ``patience_s``. Raises ``SettingsError``."""
    found: dict[str, KafkaCluster] = {}
    lost: dict[str, ConnectorError] = {}

    async def enter(section: str, cluster: KafkaCluster) -> None:
        try:
            found[section] = await located_cluster(cluster, asked.group, patience_s)
        except SettingsError:
            raise
        except ConnectorError as error:
            lost[section] = error

    async with together() as tasks:
        for section, cluster in asked.clusters.items():
            tasks.create_task(enter(section, cluster), name=f"enter {section}")
    return Entered(asked.with_clusters(found), lost)
