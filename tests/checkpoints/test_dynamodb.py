import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
)

from checkpoints.base import (
    CheckpointError,
    CheckpointReader,
    FencedError,
    StoreBusyError,
    StoreFormatError,
    StoreRefusedError,
    StoreUnreachableError,
)
from checkpoints.dynamodb import items
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.faults import MissingTableError, explained
from checkpoints.dynamodb.reader import DynamoReader
from checkpoints.dynamodb.store import DynamoCheckpoints
from checkpoints.dynamodb.table import Table
from tests.contracts.checkpoint_store import GAP, CheckpointStoreContract, Storage, checkpoint
from tests.support.kinesis_api import REGION
from tests.support.moto import moto_server
from tests.support.ports import HOST, free_port
from tests.support.waiting import eventually

SESSION_S = 6.0
NEVER = 1_000


class Timeline:
    """Time that stands still until ``movers`` tasks sleep, then jumps to the one of them that is due first.

    One mover never waits. Of two, each does all that it has to do before time passes. ``NEVER`` is the time of a
    process that was frozen or killed: it renews nothing.
    """

    def __init__(self, movers: int) -> None:
        self.movers = movers
        self._now_s = 0.0
        self._asleep: list[tuple[float, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return 1_764_000_000_000 + round(self._now_s * 1000)

    def monotonic(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        sleeper = (self._now_s + seconds, asyncio.get_running_loop().create_future())
        self._asleep.append(sleeper)
        if len(self._asleep) >= self.movers:
            self.jump()
        try:
            await sleeper[1]
        finally:
            if sleeper in self._asleep:
                self._asleep.remove(sleeper)

    def jump(self) -> None:
        due = min(self._asleep, key=lambda sleeper: sleeper[0])
        self._asleep.remove(due)
        self._now_s = due[0]
        due[1].set_result(None)


class DynamoStorage(Storage):
    def __init__(self, table: Table) -> None:
        self.table = table
        self.clock = Timeline(movers=2)

    def store(
        self, mirror: str = "orders", clock: Timeline | None = None, connect: Connect = connect
    ) -> DynamoCheckpoints:
        time = clock if clock is not None else self.clock
        return DynamoCheckpoints(self.table, mirror, clock=time, session_s=SESSION_S, connect=connect)

    def reader(self, mirror: str = "orders") -> CheckpointReader:
        return DynamoReader(self.table, mirror)

    @asynccontextmanager
    async def successor(self, clock: Timeline | None = None) -> AsyncIterator[DynamoCheckpoints]:
        """One that waits for a frozen owner's session to end, and is frozen itself from then on."""
        time = clock if clock is not None else Timeline(movers=1)
        store = await self.store(clock=time).__aenter__()
        time.movers = NEVER
        try:
            yield store
        finally:
            await store.__aexit__(None, None, None)

    def frozen(self) -> DynamoCheckpoints:
        return self.store(clock=Timeline(NEVER))

    async def call(self, action: str, **parameters: object) -> Mapping[str, Any]:
        async with connect(self.table) as caller:
            return await caller.call(action, {"TableName": self.table.name, **parameters})

    async def item(self, partition: str) -> Any:
        answer = await self.call("GetItem", Key=items.key("orders", partition), ConsistentRead=True)
        return answer["Item"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def table(server: str) -> Table:
    """One that does not exist yet."""
    return Table(f"checkpoints-{uuid4().hex[:12]}", REGION, server)


@pytest.fixture
def storage(table: Table) -> DynamoStorage:
    return DynamoStorage(table)


class TestDynamoCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def storage(self, table: Table) -> Storage:
        return DynamoStorage(table)


class Line(Caller):
    """A connection that does to a call what the test says, once a time it is said."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._lost: list[str] = []
        self._delayed: dict[str, int] = {}
        self._late: list[tuple[str, Mapping[str, object]]] = []

    def lose_answer(self, action: str) -> None:
        self._lost.append(action)

    def delay(self, action: str, after: int = 0) -> None:
        """Let the caller give a call up, once ``after`` others have passed, and keep it for ``land``."""
        self._delayed[action] = after

    async def land(self) -> None:
        """Whether the calls that were kept change anything is up to their conditions."""
        while self._late:
            await asyncio.gather(self._caller.call(*self._late.pop()), return_exceptions=True)

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        if action in self._delayed:
            self._delayed[action] -= 1
        if self._delayed.get(action) == -1:
            del self._delayed[action]
            self._late.append((action, parameters))
            raise CheckpointError(action, "no answer in time")
        answer = await self._caller.call(action, parameters)
        if action in self._lost:
            self._lost.remove(action)
            raise CheckpointError(action, "no answer in time")
        return answer


class Lines:
    """Connects through a ``Line``, the last of which can be told what to do."""

    def __init__(self, prepare: Callable[[Line], None] = lambda line: None) -> None:
        self._prepare = prepare
        self.last: Line

    @asynccontextmanager
    async def __call__(self, table: Table) -> AsyncIterator[Caller]:
        async with connect(table) as caller:
            self.last = Line(caller)
            self._prepare(self.last)
            yield self.last


async def test_a_save_after_a_take_over_changes_nothing_and_says_who_took_over(storage: DynamoStorage) -> None:
    """A worker that was frozen beyond its session cannot write over its successor, and need not try again."""
    async with storage.frozen() as old:
        await old.save({"a": checkpoint("1"), "b": checkpoint("1")})
        async with storage.successor() as new:
            await new.save({"a": checkpoint("2")})
            name = (await storage.item(items.HEADER))["owner"]["S"]
            for attempt in (old.save({"a": checkpoint("1"), "c": checkpoint("1")}), old.delete(["a", "b"])):
                with pytest.raises(FencedError, match=f"{name} has taken over") as error:
                    await attempt
                assert not error.value.retriable
            assert await new.load() == {"a": checkpoint("2"), "b": checkpoint("1")}
        with pytest.raises(FencedError, match="come and gone"):
            await old.save({"a": checkpoint("1")})
    assert await storage.reader().load() == {"a": checkpoint("2"), "b": checkpoint("1")}


async def test_a_fenced_owner_that_leaves_leaves_its_successor_alone(storage: DynamoStorage) -> None:
    """Who wakes up only to end gives nothing up that is not its own."""
    old = await storage.frozen().__aenter__()
    async with storage.successor() as new:
        await old.__aexit__(None, None, None)
        await new.save({"a": checkpoint("1")})


async def test_a_silent_owner_is_followed_after_one_session(storage: DynamoStorage) -> None:
    """After kill -9 a restart waits about the session of the one that died, and finds all that it had saved."""
    clock = Timeline(movers=1)
    async with storage.frozen() as dead:
        await dead.save({"a": checkpoint("1")})
        async with storage.successor(clock) as store:
            assert SESSION_S <= clock.monotonic() < SESSION_S * 1.1
            assert await store.load() == {"a": checkpoint("1")}


async def test_of_two_that_wait_for_a_silent_owner_one_succeeds(storage: DynamoStorage) -> None:
    """A race for what a dead owner left has one winner, and the other one learns who that is."""
    async with storage.frozen():
        clock = Timeline(movers=2)
        stores = [storage.store(clock=clock), storage.store(clock=clock)]
        results = await asyncio.gather(*(store.__aenter__() for store in stores), return_exceptions=True)
        refused = [result for result in results if isinstance(result, StoreBusyError)]
        winners = [store for store in stores if store in results]
        assert len(refused) == len(winners) == 1
        assert (await storage.item(items.HEADER))["owner"]["S"] in str(refused[0])
        await winners[0].save({"a": checkpoint("1")})
        await winners[0].__aexit__(None, None, None)


async def test_a_living_owner_is_named_with_its_last_renewal_once_it_renews(storage: DynamoStorage) -> None:
    """Who is refused learns which process to stop, after a third of a session and not a whole one."""
    async with storage.store():
        name = (await storage.item(items.HEADER))["owner"]["S"]
        with pytest.raises(StoreBusyError) as refusal:
            async with storage.store():
                pass
        assert storage.clock.monotonic() <= SESSION_S / 2
        assert f"{name} owns them, last renewed 2025-11-24T16:00:02.000+00:00" in str(refusal.value)
        assert f"orders in table {storage.table.name}" in str(refusal.value)
        assert not refusal.value.retriable


async def test_saving_shows_life_as_well_as_renewing_does(storage: DynamoStorage) -> None:
    """A mirror that is busy saving is not taken for dead."""
    waiting = Timeline(NEVER)
    async with storage.frozen() as owner:
        entering = asyncio.create_task(storage.store(clock=waiting).__aenter__())
        await asleep(waiting)
        await owner.save({"a": checkpoint("1")})
        waiting.jump()
        with pytest.raises(StoreBusyError):
            await entering


async def asleep(clock: Timeline) -> None:
    await eventually(lambda: bool(clock._asleep), "somebody asleep")


async def test_after_a_clean_leave_the_next_owner_comes_in_at_once(storage: DynamoStorage) -> None:
    """A restart costs no time, and each owner has a fence of its own."""
    for fence in ("1", "2", "3"):
        async with storage.frozen() as store:
            await store.save({"a": checkpoint(fence)})
            assert (await storage.item(items.HEADER))["fence"] == {"N": fence}
            assert (await storage.item("a"))["fence"] == {"N": fence}
        assert "owner" not in await storage.item(items.HEADER)


async def test_who_waits_comes_in_as_soon_as_the_owner_leaves(storage: DynamoStorage) -> None:
    """A clean leave ends the wait before the session does."""
    clock = Timeline(NEVER)
    owner = await storage.frozen().__aenter__()
    entering = asyncio.create_task(storage.store(clock=clock).__aenter__())
    await asleep(clock)
    await owner.__aexit__(None, None, None)
    clock.jump()
    store = await entering
    assert clock.monotonic() <= SESSION_S / 10
    await store.__aexit__(None, None, None)


async def test_a_renewal_that_fails_is_tried_again(storage: DynamoStorage) -> None:
    """A lost answer or a throttled call does not end an ownership."""
    lines = Lines()
    clock = Timeline(NEVER)
    async with storage.store(clock=clock, connect=lines):
        await asleep(clock)
        lines.last.lose_answer("UpdateItem")
        clock.jump()
        await asleep(clock)
        clock.jump()
        await asleep(clock)
        assert (await storage.item(items.HEADER))["renewed_ms"] == {"N": str(clock.now_ms())}


async def test_a_claim_whose_answer_is_lost_lapses_and_is_not_kept(storage: DynamoStorage) -> None:
    """Nobody owns what nobody renews: the next attempt waits a session at most."""
    with pytest.raises(CheckpointError, match="no answer"):
        await storage.store(connect=Lines(lambda line: line.lose_answer("UpdateItem"))).__aenter__()
    async with storage.successor() as store:
        assert await store.load() == {}


async def test_more_partitions_than_a_transaction_takes_are_saved_and_deleted(storage: DynamoStorage) -> None:
    """More than a hundred shards are no special case."""
    saved = {f"shardId-{number:012}": checkpoint(str(number)) for number in range(130)}
    async with storage.store() as store:
        await store.save(saved)
        assert await store.load() == saved
        await store.delete(list(saved)[1:])
        assert (await store.load()).keys() == {"shardId-000000000000"}


async def test_a_save_whose_second_transaction_fails_keeps_the_first_and_can_be_repeated(
    storage: DynamoStorage,
) -> None:
    """Each transaction is all or none, and so is a save of up to 99 partitions."""
    saved = {f"{number:03}": checkpoint("1") for number in range(100)}
    lines = Lines()
    async with storage.store(connect=lines) as store:
        lines.last.delay("TransactWriteItems", after=1)
        with pytest.raises(CheckpointError, match="no answer"):
            await store.save(saved)
        assert (await store.load()).keys() == set(list(saved)[:99])
        await store.save(saved)
        assert await store.load() == saved


async def test_more_than_a_page_of_checkpoints_is_loaded_whole(storage: DynamoStorage) -> None:
    """A query answers with 1 MB at most; what comes after it is asked for."""
    async with storage.store() as store:
        long = replace(GAP, cause="a long story " * 5_000)
        saved = {str(number): checkpoint("1", gaps=(long,)) for number in range(30)}
        await store.save(saved)
        assert await store.load() == saved


async def test_a_save_that_was_given_up_and_lands_late_undoes_nothing(storage: DynamoStorage) -> None:
    """A position never goes back, however long a call was under way."""
    lines = Lines()
    async with storage.store(connect=lines) as store:
        lines.last.delay("TransactWriteItems")
        with pytest.raises(CheckpointError, match="no answer"):
            await store.save({"a": checkpoint("1"), "b": checkpoint("1")})
        await store.save({"a": checkpoint("2")})
        await lines.last.land()
        assert await store.load() == {"a": checkpoint("2")}


async def test_a_save_that_was_given_up_and_lands_after_the_leave_changes_nothing(storage: DynamoStorage) -> None:
    """What the next owner loads stays what is there."""
    lines = Lines()
    async with storage.store(connect=lines) as store:
        lines.last.delay("TransactWriteItems")
        with pytest.raises(CheckpointError, match="no answer"):
            await store.save({"a": checkpoint("1")})
        await store._entered().ownership.leave()
        await lines.last.land()
    assert await storage.reader().load() == {}


async def test_a_save_whose_answer_was_lost_can_be_repeated(storage: DynamoStorage) -> None:
    """The caller sees an error although the checkpoints are written; saving goes on all the same."""
    lines = Lines()
    async with storage.store(connect=lines) as store:
        lines.last.lose_answer("TransactWriteItems")
        with pytest.raises(CheckpointError, match="no answer"):
            await store.save({"a": checkpoint("1")})
        assert await store.load() == {"a": checkpoint("1")}
        await store.save({"a": checkpoint("2")})
        assert await store.load() == {"a": checkpoint("2")}


async def test_items_are_as_documented(storage: DynamoStorage) -> None:
    """Other programs may read the table: text is text, numbers are numbers, gaps are a list of maps."""
    async with storage.store() as store:
        await store.save({"a": checkpoint("42", gaps=(GAP,)), "b": checkpoint(None)})
        assert await storage.item("a") == {
            "mirror": {"S": "orders"},
            "partition": {"S": "a"},
            "version": {"N": "1"},
            "fence": {"N": "1"},
            "position": {"S": "42"},
            "watermark_ms": {"N": "1764000000000"},
            "finished": {"BOOL": False},
            "saved_ms": {"N": "1764000000500"},
            "source": {"S": "kinesis orders 1764000000"},
            "sink": {"S": ""},
            "gaps": {
                "L": [
                    {
                        "M": {
                            "lost_from": {"S": GAP.lost_from},
                            "lost_to": {"S": GAP.lost_to},
                            "cause": {"S": GAP.cause},
                            "noticed_ms": {"N": str(GAP.noticed_ms)},
                        }
                    }
                ]
            },
        }
        assert {"position", "watermark_ms"}.isdisjoint(await storage.item("b"))
        header = await storage.item(items.HEADER)
        assert header.keys() == {
            *("mirror", "partition", "version"),
            *("owner", "fence", "beat", "renewed_ms", "session_ms"),
        }
        assert header["session_ms"] == {"N": "6000"}


async def test_a_checkpoint_of_a_newer_version_is_refused_and_left_alone(storage: DynamoStorage) -> None:
    """An older version does not read what it cannot understand, and says what to upgrade."""
    async with storage.store() as store:
        await store.save({"a": checkpoint("1")})
        newer = {**items.key("orders", "a"), "version": {"N": "2"}, "place": {"S": "elsewhere"}}
        await storage.call("PutItem", Item=newer)
        for load in (store.load, storage.reader().load):
            with pytest.raises(StoreFormatError, match=r"format 2 by a newer version.*upgrade kmbridge"):
                await load()
        assert await storage.item("a") == newer


async def test_a_mirror_of_a_newer_version_is_not_claimed(storage: DynamoStorage) -> None:
    """Its header stays as it is, for who can read it."""
    async with storage.store():
        pass
    newer = {**items.key("orders", items.HEADER), "version": {"N": "2"}}
    await storage.call("PutItem", Item=newer)
    with pytest.raises(StoreFormatError, match="upgrade kmbridge"):
        await storage.store().__aenter__()
    assert await storage.item(items.HEADER) == newer


async def test_another_applications_items_are_refused(storage: DynamoStorage) -> None:
    """What is not ours is named instead of being read as something."""
    async with storage.store() as store:
        await storage.call("PutItem", Item={**items.key("orders", "a"), "title": {"S": "Nabucco"}})
        with pytest.raises(StoreFormatError, match=r"no checkpoint.*checkpoints\.dynamodb\.table"):
            await store.load()


async def test_another_applications_table_is_refused(storage: DynamoStorage) -> None:
    """A KCL lease table given by mistake is named as such, and not written to."""
    await storage.call(
        "CreateTable",
        AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for attempt in (storage.store().__aenter__, storage.reader().load):
        with pytest.raises(StoreFormatError, match=r"another application's table.*left as it is"):
            await attempt()
    assert (await storage.call("Scan"))["Count"] == 0


async def test_a_reader_finds_nothing_in_a_missing_table_and_makes_none(storage: DynamoStorage) -> None:
    """Looking leaves no trace."""
    assert await storage.reader().load() == {}
    with pytest.raises(MissingTableError):
        await storage.call("DescribeTable")


async def test_the_table_is_made_where_it_is_missing_and_paid_by_request(storage: DynamoStorage) -> None:
    """The first mirror of an account needs no preparation."""
    async with storage.store("orders"), storage.store("payments"):
        table = (await storage.call("DescribeTable"))["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == storage.table.definition["KeySchema"]


async def test_a_table_that_is_not_active_yet_is_waited_for(storage: DynamoStorage) -> None:
    """Also where another process has asked for it at the same moment."""
    states = iter(("", "CREATING", "ACTIVE"))

    class Slow(Line):
        async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
            if action == "CreateTable":
                await super().call(action, parameters)
            answer = await super().call(action, parameters)
            if action != "DescribeTable":
                return answer
            if not (state := next(states)):
                raise MissingTableError(action, "not known here yet")
            return {"Table": {"TableStatus": state}}

    @asynccontextmanager
    async def slowly(table: Table) -> AsyncIterator[Caller]:
        async with connect(table) as caller:
            yield Slow(caller)

    clock = Timeline(movers=1)
    store = await storage.store(clock=clock, connect=slowly).__aenter__()
    clock.movers = NEVER
    assert next(states, None) is None
    await store.__aexit__(None, None, None)


async def test_a_table_that_is_deleted_under_a_mirror_ends_it_with_the_remedy(storage: DynamoStorage) -> None:
    """Checkpoints that cannot be kept any more are no matter of patience."""
    async with storage.store() as store:
        await storage.call("DeleteTable")
        with pytest.raises(MissingTableError, match=r"restore it.*aws dynamodb create-table") as error:
            await store.save({"a": checkpoint("1")})
        assert not error.value.retriable


async def test_a_table_that_was_emptied_under_a_mirror_is_not_written_to(storage: DynamoStorage) -> None:
    """Who lost the header has lost the ownership."""
    async with storage.store() as store:
        await storage.call("DeleteItem", Key=items.key("orders", items.HEADER))
        with pytest.raises(FencedError, match="the header is gone"):
            await store.save({"a": checkpoint("1")})
        assert await storage.reader().load() == {}


async def test_an_unreachable_server_is_named_and_may_come_back() -> None:
    """The error says which address, and what to check."""
    table = Table("checkpoints", REGION, f"http://{HOST}:{free_port()}")
    with pytest.raises(CheckpointError, match=r"table checkpoints.*check checkpoints\.dynamodb\.endpoint_url") as error:
        await DynamoReader(table, "orders").load()
    assert error.value.retriable
    assert f"{table.endpoint_url}" in str(error.value)


async def test_a_missing_region_is_named_with_the_key_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed where the configuration and the environment are silent."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(StoreRefusedError, match=r"set checkpoints\.dynamodb\.region"):
        await DynamoReader(Table("checkpoints"), "orders").load()


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
async def test_the_environment_may_name_the_region(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """By either variable, as AWS's tools and its containers have it: what is missing then is a server."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(variable, "eu-north-1")
    with pytest.raises(StoreUnreachableError):
        await DynamoReader(Table("checkpoints", endpoint_url=f"http://{HOST}:{free_port()}"), "orders").load()


def refusal(code: str, message: str = "no", status: int = 400, reasons: tuple[str, ...] = ()) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
            "CancellationReasons": [{"Code": reason, "Message": f"because of {reason}"} for reason in reasons],
        },
        "TransactWriteItems",
    )


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("InternalServerError", status=500),
        refusal("503", status=503),
        refusal("TransactionInProgressException"),
        refusal("TransactionCanceledException", reasons=("None", "ThrottlingError")),
        refusal("TransactionCanceledException", reasons=("TransactionConflict", "None")),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        ConnectionResetError(104, "reset by peer"),
        TimeoutError(),
    ],
    ids=str,
)
def test_what_passes_by_itself_may_be_tried_again(error: Exception) -> None:
    """Throttling, faults of the server and lost connections end no mirror, and each says what happened."""
    with pytest.raises(CheckpointError, match="TransactWriteItems on table checkpoints") as explanation:
        explain("TransactWriteItems", error)
    assert explanation.value.retriable
    assert explanation.value.cause
    assert explanation.value.hint


DENIED = "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: dynamodb:PutItem on resource: arn:aws:…"


@pytest.mark.parametrize(
    ("action", "error", "remedy"),
    [
        ("TransactWriteItems", refusal("AccessDeniedException", DENIED), "allow dynamodb:PutItem,"),
        ("TransactWriteItems", refusal("AccessDeniedException"), "dynamodb:UpdateItem, dynamodb:PutItem and"),
        ("Query", refusal("AccessDeniedException"), "allow dynamodb:Query,"),
        ("CreateTable", refusal("AccessDeniedException"), "aws dynamodb create-table --table-name checkpoints"),
        ("GetItem", refusal("ResourceNotFoundException"), "aws dynamodb create-table --table-name checkpoints"),
        ("GetItem", refusal("UnrecognizedClientException"), "AWS_PROFILE"),
        ("GetItem", NoCredentialsError(), "AWS_PROFILE"),
        ("GetItem", NoRegionError(), "set checkpoints.dynamodb.region"),
        ("GetItem", refusal("404", status=404), "check checkpoints.dynamodb.endpoint_url"),
        ("GetItem", ParamValidationError(report="a name of one letter"), "check checkpoints.dynamodb"),
    ],
)
def test_what_a_person_must_mend_ends_the_mirror_with_the_remedy(
    action: str, error: ClientError | BotoCoreError, remedy: str
) -> None:
    """Denied, missing or misconfigured: the error names what to grant, create or set."""
    with pytest.raises(StoreRefusedError) as explanation:
        explain(action, error)
    assert not explanation.value.retriable
    assert remedy in explanation.value.hint
    assert explanation.value.cause


def test_an_item_that_is_too_large_is_told_by_its_reason() -> None:
    """Of a cancelled transaction that one reason is told which is one."""
    error = refusal("TransactionCanceledException", reasons=("None", "ValidationError", "None"))
    with pytest.raises(StoreRefusedError, match="because of ValidationError"):
        explain("TransactWriteItems", error)


def explain(action: str, error: Exception) -> None:
    with explained(action, Table("checkpoints", REGION)):
        raise error


def test_the_command_that_creates_the_table_is_one_that_a_shell_understands() -> None:
    """It can be pasted as it is, and says the same as what is done where that is allowed."""
    table = Table("check points", REGION, "http://localhost:8000/?a&b")
    command = f"printf '%s\\n' {table.create_command}"
    words = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.splitlines()
    assert words[:9] == [
        *("aws", "dynamodb", "create-table", "--table-name", "check points"),
        *("--region", REGION, "--endpoint-url", "http://localhost:8000/?a&b"),
    ]
    assert "AttributeName=partition,KeyType=RANGE" in words


async def test_a_store_is_entered_once_and_used_while_entered(storage: DynamoStorage) -> None:
    """Mistakes of a caller are told, not waited for."""
    store = storage.store()
    with pytest.raises(RuntimeError, match="not entered"):
        await store.load()
    async with store:
        with pytest.raises(RuntimeError, match="entered already"):
            await store.__aenter__()
