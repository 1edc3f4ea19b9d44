"""Where a configuration lets documents be, and that nobody else is concerned by them."""

import asyncio
from pathlib import Path

import pytest
import yaml

from bridge.config import Configuration, load
from bridge.errors import UsageError
from bridge.keeping.documents import documents_of
from bridge.keeping.stores import checkpoint_reader
from checkpoints.documents import Documents
from checkpoints.dynamodb.documents import DynamoDocuments
from checkpoints.kafka.documents.store import KafkaDocuments
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.sqlite.documents import SqliteDocuments
from checkpoints.sqlite.store import SqliteCheckpoints
from connectors.base import Clock
from tests.bridge.cli.called import call
from tests.bridge.test_config_mistakes import VALID
from tests.checkpoints.kafka.group.test_contract import MembersStorage
from tests.contracts.checkpoint_store import Storage, checkpoint
from tests.contracts.documents import NAME, TEXT, DocumentsContract, Place
from tests.support.factories import TopicFactory
from tests.support.topics import until_known

_PARTITIONS = 4
TO_STREAM = """\
name: orders
source:
  kafka: {bootstrap_servers: [b-1:9098], topic: orders}
sink:
  kinesis: {stream: orders, region: eu-west-1}
"""
BETWEEN_STREAMS = """\
name: orders
source:
  kinesis: {stream: orders, region: eu-west-1}
sink:
  kinesis: {stream: copies, region: eu-west-1}
"""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (VALID, KafkaDocuments),
        (TO_STREAM, KafkaDocuments),
        (BETWEEN_STREAMS, SqliteDocuments),
        (VALID + "checkpoints: {sqlite: {path: o.db}}\n", SqliteDocuments),
        (VALID + "checkpoints: {kafka: {topic: others}}\n", KafkaDocuments),
        (VALID + "checkpoints: {dynamodb: {table: others}}\n", DynamoDocuments),
    ],
)
def test_documents_are_beside_the_checkpoints(tmp_path: Path, text: str, kind: type[Documents]) -> None:
    """Whatever the place is; no key of the configuration says where."""
    assert type(documents_of(configured(tmp_path, text), Clock())) is kind


def test_documents_beside_checkpoints_in_memory_are_refused(tmp_path: Path) -> None:
    """They would be gone with the command that saved them: the error says what to set."""
    asked = configured(tmp_path, VALID + "checkpoints: memory\n")
    with pytest.raises(UsageError, match=r"documents of mirror orders.*in memory.*checkpoints"):
        documents_of(asked, Clock())


def configured(folder: Path, text: str) -> Configuration:
    path = folder / "o.yaml"
    path.write_text(text)
    return load([str(path)], environment={})


async def test_reset_leaves_documents_and_list_does_not_show_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mirror that starts anew is in the same migration as before."""
    asked = await asyncio.to_thread(
        configured, tmp_path, f"{VALID}checkpoints: {{sqlite: {{path: '{tmp_path / 'o.db'}'}}}}\n"
    )
    async with documents_of(asked, Clock()) as documents:
        saved = await documents.save(NAME, TEXT, None)
        async with SqliteCheckpoints(tmp_path / "o.db", "orders") as store:
            await store.save({"shardId-000000000000": checkpoint("1")})
        assert (await checkpoint_reader(asked).load()).keys() == {"shardId-000000000000"}
        reset = await asyncio.to_thread(call, capsys, "checkpoints", "reset", tmp_path / "o.yaml", "--yes")
        assert (reset.code, reset.out) == (0, "shardId-000000000000: 1 -> forgotten\n")
        assert await documents.load(NAME) == saved


class Workers(MembersStorage):
    """Checkpoints of mirrors whose workers are members of a group that no other test has."""

    def place(self, mirror: str) -> ConsumerGroup:
        return ConsumerGroup({"bootstrap.servers": self._address}, f"kmbridge-{self._topic}-{mirror}", self._topic)


class GroupPlace(Place):
    """What mirrors from Kafka to Kinesis have, by their configurations, while a worker is a member of their group."""

    def __init__(self, folder: Path, place: ConsumerGroup) -> None:
        self._workers = Workers(place)
        self._configs = {mirror: folder / f"{mirror}.yaml" for mirror in ("orders", "orders-2")}
        for mirror, path in self._configs.items():
            document = {
                "name": f"{place.topic}-{mirror}",
                "source": {
                    "kafka": {"bootstrap_servers": [place.connection["bootstrap.servers"]], "topic": place.topic}
                },
                "sink": {"kinesis": {"stream": "orders", "region": "eu-west-1"}},
            }
            path.write_text(yaml.safe_dump(document))
        self._configurations = {mirror: load([str(path)], environment={}) for mirror, path in self._configs.items()}

    @property
    def storage(self) -> Storage:
        return self._workers

    def documents(self, mirror: str = "orders") -> Documents:
        return documents_of(self._configurations[mirror], Clock())

    @property
    def recipe(self) -> tuple[str, str]:
        imports = (
            "from bridge.config import load\n"
            "from bridge.keeping.documents import documents_of\n"
            "from connectors.base import Clock"
        )
        return imports, f"documents_of(load([{str(self._configs['orders'])!r}], environment={{}}), Clock())"


class TestDocumentsBesideAGroup(DocumentsContract):
    @pytest.fixture
    def place(self, tmp_path: Path, kafka: str, topic: TopicFactory) -> Place:
        name = topic(_PARTITIONS)
        until_known(kafka, name, _PARTITIONS)
        return GroupPlace(tmp_path, ConsumerGroup({"bootstrap.servers": kafka}, "", name))
