"""A real Kafka broker of one node."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.support.ports import HOST, free_port, is_listening
from tests.support.processes import ServerError, ServerProcess
from tests.support.provision import kafka_jars

# Short start before peak speed: one node, few cores, many short lives.
_JAVA = ("java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_CLUSTER_ID = "a21icmlkZ2UtdGVzdHMtMQ"

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # A worker that is gone is taken for dead when its session is over: with the default 6 s a test would mostly wait.
    "group.min.session.timeout.ms": "1000",
    # A killed broker is let in again only when its last session is over: by default after 9 s.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "2000",
    # The default of 50 partitions each costs the first group and the first transaction seconds.
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """One more way in, on ``port``; its clients are told to come to ``advertised``, ``host:port``."""

    name: str
    protocol: str
    port: int
    advertised: str

    @classmethod
    def proxied(cls, port: int, advertised: str) -> Self:
        """For clients that come through a proxy, which is at ``advertised``."""
        return cls("PROXIED", "PLAINTEXT", port, advertised)

    @classmethod
    def direct(cls, name: str, protocol: str) -> Self:
        """On a free port, for clients that speak ``protocol``."""
        port = free_port()
        return cls(name, protocol, port, f"{HOST}:{port}")


class KafkaBroker(ServerProcess):
    """A broker with a port and a data folder of its own, which it keeps from start to start.

    Methods block until they are done: call them by ``asyncio.to_thread`` where the event loop has to go on.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        listeners: Sequence[Listener] = (),
        options: Sequence[str] = (),
    ) -> None:
        """``folder`` must be empty; ``settings`` are lines of ``server.properties``, added to or instead of ours.

        ``listeners`` are further ones beside that at ``address``, ``options`` those of the Java machine.
        """
        self._folder = folder
        self._port = free_port()
        self._listeners = listeners
        self._classpath = f"{kafka_jars()}/*"
        self._properties = folder / "server.properties"
        self._properties.write_text(self._render(settings or {}))
        command = (*_JAVA, *options, "-cp", self._classpath, "kafka.Kafka", str(self._properties))
        super().__init__(command, folder / "server.log", self._is_ready)

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def start(self) -> None:
        """As promised, with the data of the last life."""
        if not (self._folder / "data").exists():
            self._format()
        super().start()

    def revive(self) -> None:
        """Let it work again, whatever befell it."""
        if self.is_up:
            self.thaw()
        else:
            self.start()

    def _render(self, settings: Mapping[str, str]) -> str:
        controller = free_port()
        listeners = [f"PLAINTEXT://{self.address}", f"CONTROLLER://{HOST}:{controller}"]
        listeners += [f"{each.name}://{HOST}:{each.port}" for each in self._listeners]
        advertised = [f"PLAINTEXT://{self.address}", *(f"{each.name}://{each.advertised}" for each in self._listeners)]
        protocols = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"]
        protocols += [f"{each.name}:{each.protocol}" for each in self._listeners]
        lines = {
            **_SETTINGS,
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": ",".join(protocols),
            "log.dirs": str(self._folder / "data"),
            **settings,
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    def _format(self) -> None:
        tool = (*_JAVA, "-cp", self._classpath, "kafka.tools.StorageTool", "format")
        command = (*tool, "-t", _CLUSTER_ID, "-c", str(self._properties))
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise ServerError(f"formatting the broker's folder failed: {done.stdout}")

    def _is_ready(self) -> bool:
        if not is_listening(self._port):
            return False
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return len(client.list_topics(timeout=2).brokers) == 1
        except KafkaException:
            return False
