"""Documents in the checkpoint topic."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Event

import pytest
from confluent_kafka import KafkaException, Producer

from checkpoints.base import CheckpointError, StoreFormatError, StoreRefusedError
from checkpoints.documents import Document
from checkpoints.kafka.document import Author
from checkpoints.kafka.documents import writer
from checkpoints.kafka.documents.log import DocumentLog
from checkpoints.kafka.documents.record import encode, key_of
from checkpoints.kafka.documents.store import PATIENCE_S, KafkaDocuments
from checkpoints.kafka.documents.writer import DocumentWriter
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk
from tests.checkpoints.kafka.test_contract import KafkaStorage
from tests.checkpoints.kafka.writing import (
    SLOTS,
    OpenTransaction,
    WatchedFence,
    member_of,
    place_in,
    produce,
    store_in,
    until_known,
)
from tests.contracts.checkpoint_store import Storage, checkpoint
from tests.contracts.documents import NAME, TEXT, DocumentsContract, Place
from tests.support.factories import OwnKafka, TopicFactory
from tests.support.kafka_reader import read_topic
from tests.support.topics import create_topic

_TIMEOUT_S = 60
FIRST = Document("first", 1, "host/1/a")
MINE = Document("mine", 2, "host/1/b")
THEIRS = Document("theirs", 2, "host/2/c")


class NamedStorage(KafkaStorage):
    """Whoever saves documents of a mirror ends what others have under way: names are the test's own on the broker."""

    def place(self, mirror: str = "orders") -> CheckpointTopic:
        return place_in(self._address, self._topic, f"{self._topic}-{mirror}")


class KafkaPlace(Place):
    def __init__(self, address: str, topic: str) -> None:
        self._storage = NamedStorage(address, topic)

    @property
    def storage(self) -> Storage:
        return self._storage

    def documents(self, mirror: str = "orders") -> KafkaDocuments:
        return KafkaDocuments(self._storage.place(mirror))

    @property
    def recipe(self) -> tuple[str, str]:
        place = self._storage.place()
        imports = (
            "from checkpoints.kafka.documents.store import KafkaDocuments\n"
            "from checkpoints.kafka.topic import CheckpointTopic"
        )
        arguments = f"{dict(place.connection)!r}, {place.mirror!r}, {place.group!r}, {place.topic!r}"
        return imports, f"KafkaDocuments(CheckpointTopic({arguments}))"


@pytest.fixture
def place(kafka: str, place: CheckpointTopic) -> CheckpointTopic:
    """A mirror of the test's own in a topic of its own."""
    return NamedStorage(kafka, place.topic).place()


class TestKafkaDocuments(DocumentsContract):
    @pytest.fixture
    def place(self, kafka: str, place: CheckpointTopic) -> Place:
        return KafkaPlace(kafka, place.topic)


def author_of(place: CheckpointTopic) -> Author:
    return Author(f"kmbridge-{place.mirror}-documents", place.group)


def left_open(place: CheckpointTopic, document: Document) -> Producer:
    """Who had saved ``document`` but for the end: its transaction is open, for longer than a test lasts."""
    author = author_of(place)
    settings = {"transactional.id": author.writer, "transaction.timeout.ms": 60_000, "linger.ms": 0, "log_level": 0}
    dead = Producer({**place.connection, **settings})
    dead.init_transactions(_TIMEOUT_S)
    dead.begin_transaction()
    dead.produce(place.topic, encode(document, author), key_of(place.mirror, NAME), 0)
    assert dead.flush(_TIMEOUT_S) == 0
    return dead


class Interrupted(DocumentLog):
    """A log of which some readings, by their number from 1 on, are followed by something that others do."""

    def __init__(self, place: CheckpointTopic, interruptions: Mapping[int, Callable[[], object]]) -> None:
        super().__init__(place, PATIENCE_S)
        self.readings = 0
        self._interruptions = interruptions

    def read(self, name: str, stop: Event) -> Document | None:
        found = super().read(name, stop)
        self.readings += 1
        self._interruptions.get(self.readings, lambda: None)()
        return found


def replaced(
    place: CheckpointTopic, interruptions: Mapping[int, Callable[[], object]], document: Document = MINE
) -> Document | None:
    """What stands there after a save upon version 1, which reads before and after it has ended what others do."""
    with closing(Interrupted(place, interruptions)) as log:
        return DocumentWriter(place, log, Event()).replace(NAME, document.version - 1 or None, document)


def fence(place: CheckpointTopic) -> None:
    """Do what a worker does that takes the slot over and is held up by whoever saves a document."""
    assert GroupFence(place.connection).end(author_of(place), Event())


async def test_who_has_read_before_another_saved_cannot_commit(place: CheckpointTopic) -> None:
    """At the worst moment: both have found the version that they build on, and the other one has saved since."""
    await asyncio.to_thread(replaced, place, {}, FIRST)
    assert await asyncio.to_thread(replaced, place, {1: lambda: replaced(place, {}, THEIRS)}) == THEIRS
    async with KafkaDocuments(place) as documents:
        assert await documents.load(NAME) == THEIRS


async def test_a_save_that_a_takeover_ended_is_made_again(place: CheckpointTopic) -> None:
    """A worker in need of the slot goes first; nobody else has saved, and so the save succeeds."""
    await asyncio.to_thread(replaced, place, {}, FIRST)
    assert await asyncio.to_thread(replaced, place, {1: lambda: fence(place)}) == MINE
    async with KafkaDocuments(place) as documents:
        assert await documents.load(NAME) == MINE


async def test_a_save_that_is_ended_again_and_again_says_so(
    place: CheckpointTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not go on for ever, nothing was written, and trying again may help."""
    monkeypatch.setattr(writer, "_BACKOFF_S", 0)
    await asyncio.to_thread(replaced, place, {}, FIRST)
    with pytest.raises(CheckpointError, match=r"5 attempts were ended.*one machine alone") as error:
        await asyncio.to_thread(replaced, place, dict.fromkeys(range(1, 6), lambda: fence(place)))
    assert error.value.retriable
    async with KafkaDocuments(place) as documents:
        assert await documents.load(NAME) == FIRST


async def test_what_a_killed_saver_left_open_is_ended_by_the_next_save(place: CheckpointTopic) -> None:
    """It is not waited out, and never comes."""
    await asyncio.to_thread(replaced, place, {}, FIRST)
    dead = await asyncio.to_thread(left_open, place, THEIRS)
    async with KafkaDocuments(place, patience_s=0.5) as documents:
        with pytest.raises(CheckpointError, match=rf"written by {author_of(place).writer}"):
            await documents.load(NAME)
    async with KafkaDocuments(place) as documents:
        saved = await documents.save(NAME, TEXT, 1)
        assert await documents.load(NAME) == saved
    with pytest.raises(KafkaException):
        await asyncio.to_thread(dead.commit_transaction, _TIMEOUT_S)


async def test_what_a_killed_saver_left_open_holds_no_takeover_up(place: CheckpointTopic) -> None:
    """Its record tells whose transaction it is, in the way that workers of every version understand."""
    await asyncio.to_thread(left_open, place, FIRST)
    watched = WatchedFence(place)
    store, _ = store_in(place, watched, "me-0")
    async with store, asyncio.timeout(30):
        assert await store.take(range(SLOTS)) == {}
    assert watched.ended == ["orders-documents"]


async def test_a_living_workers_transaction_is_waited_for_and_never_ended(place: CheckpointTopic) -> None:
    """It may hide the end of the log for a while; a save and a load come behind it."""
    await asyncio.to_thread(replaced, place, {}, FIRST)
    with member_of(place, "alive"):
        alive = await asyncio.to_thread(OpenTransaction, place, "alive-0", 0, {"0": checkpoint("42")})
        async with KafkaDocuments(place, patience_s=0.5) as impatient:
            with pytest.raises(CheckpointError, match=r"hides what is there, written by .*alive-0.*ends by itself"):
                await impatient.save(NAME, "mine", 1)
        async with KafkaDocuments(place) as documents:
            saving = asyncio.create_task(documents.save(NAME, "mine", 1))
            await asyncio.to_thread(alive.commit)
            assert await documents.load(NAME) == await saving
    reader = KafkaStorage(str(place.connection["bootstrap.servers"]), place.topic).reader(place.mirror)
    assert await reader.load() == {"0": checkpoint("42")}


async def test_a_topic_that_is_missing_is_made_by_a_save_and_not_by_a_look(absent: CheckpointTopic) -> None:
    """With as many slots as its mirrors want; one that is there is taken as it is."""
    place = place_in(str(absent.connection["bootstrap.servers"]), absent.topic, absent.topic)
    desk = TopicDesk(place.connection, place.topic)
    async with KafkaDocuments(place, 3) as documents:
        assert await documents.load(NAME) is None
        assert await asyncio.to_thread(desk.look_up) is None
        saved = await documents.save(NAME, TEXT, None)
        assert await asyncio.to_thread(desk.look_up) == 3
    async with KafkaDocuments(place, 5) as documents:
        await documents.save(NAME, TEXT, saved.version)


@pytest.mark.parametrize(
    ("value", "told"),
    [(b'{"format": 2}', r"format 2 by a newer version.*upgrade"), (b"hello", "not a document"), (b"{}", "not a doc")],
)
async def test_what_is_no_document_of_this_version_is_refused_with_its_place(
    kafka: str, place: CheckpointTopic, value: bytes, told: str
) -> None:
    """It is left as it is, and not taken for a document that is not there."""
    await asyncio.to_thread(produce, kafka, place.topic, 0, {key_of(place.mirror, NAME): value})
    async with KafkaDocuments(place) as documents:
        with pytest.raises(StoreFormatError, match=rf"document cutover of {place.mirror} in slot 0.*{told}"):
            await documents.load(NAME)
        with pytest.raises(StoreFormatError, match=told):
            await documents.save(NAME, TEXT, None)


def test_a_record_can_be_read_by_a_person() -> None:
    """Key and value are text with names that explain themselves: this is the documented format."""
    assert key_of("orders", NAME) == b"orders#documents/cutover"
    assert json.loads(encode(MINE, Author("kmbridge-orders-documents", "kmbridge-orders"))) == {
        "format": 1,
        "version": 2,
        "text": "mine",
        "author": "host/1/b",
        "writer": "kmbridge-orders-documents",
        "group": "kmbridge-orders",
    }


async def test_a_topic_that_would_drop_it_is_refused(kafka: str, topic: TopicFactory) -> None:
    """By age or by size, a document is gone when it is needed most."""
    name = await asyncio.to_thread(topic, 1, {"cleanup.policy": "delete"})
    place = await asyncio.to_thread(until_known, place_in(kafka, name, name))
    async with KafkaDocuments(place) as documents:
        with pytest.raises(StoreFormatError, match="not compact"):
            await documents.save(NAME, TEXT, None)


async def test_a_record_that_the_topic_does_not_take_is_refused_with_a_remedy(kafka: str, topic: TopicFactory) -> None:
    """Trying again would not help, and nothing is left that holds others up."""
    name = await asyncio.to_thread(topic, 1, {"cleanup.policy": "compact", "max.message.bytes": "1000"})
    place = await asyncio.to_thread(until_known, place_in(kafka, name, name))
    async with KafkaDocuments(place) as documents:
        with pytest.raises(StoreRefusedError, match=r"too large.*max\.message\.bytes"):
            await documents.save(NAME, "x" * 2000, None)
        assert await documents.load(NAME) is None


async def test_compaction_keeps_the_last_version(own_kafka: OwnKafka) -> None:
    """What it removes are earlier ones, whatever else is written into the topic."""
    broker = await asyncio.to_thread(own_kafka, {"log.cleaner.backoff.ms": "100"})
    quick = {"cleanup.policy": "compact", "segment.ms": "1", "min.cleanable.dirty.ratio": "0.0"}
    await asyncio.to_thread(create_topic, broker.address, "checkpoints", 1, quick)
    place = place_in(broker.address, "checkpoints")
    async with KafkaDocuments(place) as documents, asyncio.timeout(_TIMEOUT_S):
        saved = await documents.save(NAME, "1", None)
        while len(await read_topic(broker.address, "checkpoints")) > saved.version - 3:
            saved = await documents.save(NAME, str(saved.version + 1), saved.version)
        assert await documents.load(NAME) == saved


async def test_documents_are_entered_once_and_used_while_entered(place: CheckpointTopic) -> None:
    """Mistakes of a caller are told, not waited for."""
    documents = KafkaDocuments(place)
    with pytest.raises(RuntimeError, match="not entered"):
        await documents.load(NAME)
    async with documents:
        with pytest.raises(RuntimeError, match="entered already"):
            await documents.__aenter__()
