"""The names of a cluster's topics."""

import asyncio

from confluent_kafka import KafkaException

from connectors.base import Clock
from connectors.kafka.connection import READ, ClientLog, Connection, admin_client, kafka_error, translate

_ANSWER_S = 25.0


async def topic_names(connection: Connection, clock: Clock) -> set[str]:
    """All that we may see, without those that clusters keep for themselves.

    Raises ``UnreachableError`` without an answer within 25 s, ``RefusedError`` and ``SettingsError``.
    """
    found = await asyncio.to_thread(_listed, connection, clock)
    return {name for name in found if not name.startswith("__")}


def _listed(connection: Connection, clock: Clock) -> set[str]:
    heard = ClientLog(clock)
    settings = connection.settings()
    try:
        return set(admin_client(settings, heard.error).list_topics(timeout=_ANSWER_S).topics)
    except KafkaException as error:
        servers = connection.bootstrap_servers
        raise translate(kafka_error(error), "list the topics", servers, heard.last_error, READ) from None
