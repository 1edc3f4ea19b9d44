"""kmbridge checkpoints: list, set, reset."""

import asyncio
import io
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from checkpoints.base import Checkpoint, Gap
from checkpoints.sqlite.store import SqliteCheckpoints
from tests.bridge.cli.called import call
from tests.bridge.test_config_mistakes import VALID

LISTS_LOCKS = Path("/proc/locks").exists()
FIRST, SECOND = "shardId-000000000000", "shardId-000000000001"


class Kept:
    """A mirror's configuration and what its store holds."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "orders.db"
        self.config = folder / "o.yaml"
        self.config.write_text(f"{VALID}checkpoints: {{sqlite: {{path: {self.database}}}}}\n")

    @property
    def store(self) -> SqliteCheckpoints:
        return SqliteCheckpoints(self.database, "orders")

    def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        async def saved() -> None:
            async with self.store as store:
                await store.save(checkpoints)

        asyncio.run(saved())

    def load(self) -> Mapping[str, Checkpoint]:
        async def loaded() -> Mapping[str, Checkpoint]:
            async with self.store as store:
                return await store.load()

        return asyncio.run(loaded())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    made = Kept(tmp_path)
    gap = Gap("5", "9", "trimmed", 1)
    made.save(
        {
            FIRST: Checkpoint("4957#3", 1_000, finished=False, saved_ms=2_000, source="s@1", sink="t@1", gaps=(gap,)),
            SECOND: Checkpoint(None, None, finished=True, saved_ms=2_000, source="s@1", sink="t@1"),
        }
    )
    return made


def test_the_list_has_a_line_a_partition(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Tabs between its fields where no person looks."""
    called = call(capsys, "checkpoints", "list", kept.config)
    assert called.code == 0
    header, first, second = called.out.splitlines()
    columns = ["partition", "position", "complete until", "saved", "finished", "gaps", "owner", "lag"]
    assert header.split("\t") == columns
    assert [first.split("\t")[field] for field in (0, 1, 4, 5, 6)] == [FIRST, "4957#3", "no", "1", "-"]
    assert [second.split("\t")[field] for field in (0, 1, 2, 4, 5, 6, 7)] == [
        SECOND,
        "beginning",
        "-",
        "yes",
        "0",
        "-",
        "0s",
    ]


def test_the_list_is_told_as_json(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """All that a checkpoint holds, and what is known of now."""
    started_s = time.time()
    document = json.loads(call(capsys, "checkpoints", "list", kept.config, "--json").out)
    assert document["name"] == "orders"
    first = document["checkpoints"][0]
    assert started_s <= first.pop("age_seconds") + 2 <= time.time()
    assert started_s <= first.pop("lag_seconds") + 1 <= time.time()
    assert first == {
        "partition": FIRST,
        "position": "4957#3",
        "watermark_ms": 1_000,
        "finished": False,
        "saved_ms": 2_000,
        "source": "s@1",
        "sink": "t@1",
        "gaps": [{"lost_from": "5", "lost_to": "9", "cause": "trimmed", "noticed_ms": 1, "records": None}],
        "unsettled_ms": None,
        "bound": None,
        "paused_ms": None,
        "owner": None,
        "owner_host": None,
    }


def test_a_mirror_that_never_ran_has_an_empty_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Said on stderr with the place that was looked at, which looking does not create."""
    kept = Kept(tmp_path)
    called = call(capsys, "checkpoints", "list", kept.config)
    assert called.code == 0
    assert str(kept.database) in called.err
    assert not kept.database.exists()


def test_a_running_mirror_can_be_listed_but_not_changed(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """The refusal exits 1 and names the process that owns the checkpoints."""
    changes = (("set", kept.config, FIRST, "5000"), ("reset", kept.config, "--yes"))

    async def beside_a_mirror() -> None:
        async with kept.store:
            listed = await asyncio.to_thread(call, capsys, "checkpoints", "list", kept.config, "--json")
            assert listed.code == 0
            if LISTS_LOCKS:
                assert json.loads(listed.out)["checkpoints"][0]["owner"] == f"process {os.getpid()}"
            for change in changes:
                called = await asyncio.to_thread(call, capsys, "checkpoints", *change)
                assert called.code == 1
                assert str(kept.database) in called.err
                assert "own" in called.err

    asyncio.run(beside_a_mirror())
    assert kept.load()[FIRST].position == "4957#3"


def test_set_moves_one_partition_and_prints_where_it_stood(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Its gaps and the identities of the ends stay; what was known of the time does not."""
    called = call(capsys, "checkpoints", "set", kept.config, FIRST, "5000#0")
    assert called.code == 0
    assert called.out == f"{FIRST}: 4957#3 -> 5000#0\n"
    assert "4957#3" in called.err
    changed = kept.load()[FIRST]
    assert (changed.position, changed.watermark_ms, changed.source, len(changed.gaps)) == ("5000#0", None, "s@1", 1)
    assert kept.load()[SECOND].finished


def test_set_opens_a_finished_partition_again(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Its records from there on are mirrored again."""
    assert call(capsys, "checkpoints", "set", kept.config, SECOND, "trim_horizon").code == 0
    assert not kept.load()[SECOND].finished


@pytest.mark.parametrize("position", ["abc", "12#", "#3", "2026-01-31T12:00:00"])
def test_set_refuses_what_is_no_position(capsys: pytest.CaptureFixture[str], kept: Kept, position: str) -> None:
    """Exit 2, with what is allowed; nothing is changed."""
    called = call(capsys, "checkpoints", "set", kept.config, FIRST, position)
    assert called.code == 2
    assert "SEQUENCE#SUB" in called.err
    assert kept.load()[FIRST].position == "4957#3"


def test_a_topic_s_position_is_an_offset(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """What is none is refused before the store is looked at."""
    source = "source={kafka: {bootstrap_servers: 'a-1:9098', topic: orders}}"
    called = call(capsys, "checkpoints", "set", kept.config, "0", "0042", "--new", "--set", source)
    assert called.out == "0: nothing -> 42\n"
    called = call(capsys, "checkpoints", "set", kept.config, "0", "4957#3", "--set", source)
    assert called.code == 2
    assert 'found "4957#3"; allowed: the offset of a record of the topic' in called.err


def test_set_refuses_an_unknown_partition_unless_told(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """A slip of the pen would otherwise leave a checkpoint that nothing ever reads."""
    called = call(capsys, "checkpoints", "set", kept.config, "shardId-9", "5000")
    assert called.code == 1
    assert "shardId-9" in called.err
    assert FIRST in called.err
    assert call(capsys, "checkpoints", "set", kept.config, "shardId-9", "5000", "--new").code == 0
    assert kept.load()["shardId-9"].position == "5000"


def test_set_needs_a_partition_and_a_position(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Wrong usage exits 2."""
    assert call(capsys, "checkpoints", "set", kept.config, FIRST).code == 2


def test_reset_forgets_all_and_prints_where_they_stood(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """The old positions are on stdout and in the log: nothing is lost for good."""
    called = call(capsys, "checkpoints", "reset", kept.config, "--yes")
    assert called.code == 0
    assert called.out == f"{FIRST}: 4957#3 -> forgotten\n{SECOND}: beginning -> forgotten\n"
    assert "4957#3" in called.err
    assert kept.load() == {}
    assert call(capsys, "checkpoints", "reset", kept.config, "--yes").code == 0


def test_reset_forgets_only_the_named_partitions(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """An unknown one among them changes nothing."""
    assert call(capsys, "checkpoints", "reset", kept.config, FIRST, "shardId-9", "--yes").code == 1
    assert set(kept.load()) == {FIRST, SECOND}
    called = call(capsys, "checkpoints", "reset", kept.config, FIRST, "--yes", "--json")
    assert json.loads(called.out) == {"reset": [{"partition": FIRST, "old": "4957#3"}]}
    assert set(kept.load()) == {SECOND}


class Somebody(io.StringIO):
    """A terminal with an answer."""

    def isatty(self) -> bool:
        return True


def test_reset_asks_first(capsys: pytest.CaptureFixture[str], kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of no changes nothing, one of yes does it."""
    monkeypatch.setattr("sys.stdin", Somebody("n\n"))
    refused = call(capsys, "checkpoints", "reset", kept.config)
    assert refused.code == 1
    assert "Forget where mirror orders stands in 2 partitions?" in refused.err
    assert set(kept.load()) == {FIRST, SECOND}
    monkeypatch.setattr("sys.stdin", Somebody("y\n"))
    assert call(capsys, "checkpoints", "reset", kept.config).code == 0
    assert kept.load() == {}


def test_reset_needs_a_flag_where_nobody_can_answer(
    capsys: pytest.CaptureFixture[str], kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script is not left waiting: exit 2, nothing changed."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    called = call(capsys, "checkpoints", "reset", kept.config)
    assert called.code == 2
    assert "--yes" in called.err
    assert set(kept.load()) == {FIRST, SECOND}


def test_two_urls_stand_before_the_partition(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options may stand anywhere."""
    monkeypatch.chdir(tmp_path)
    urls = ("kinesis:///orders", "kafka://a:1/in")
    place = ("--set", "checkpoints={sqlite: {path: orders.db}}")
    assert call(capsys, "checkpoints", "set", *urls, FIRST, "5000", "--new", *place).code == 0
    listed = json.loads(call(capsys, "checkpoints", "list", *place, *urls, "--json").out)
    assert (listed["name"], [each["position"] for each in listed["checkpoints"]]) == ("orders-to-in", ["5000"])


def test_checkpoints_in_memory_cannot_be_seen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """They end with the process that keeps them."""
    config = tmp_path / "o.yaml"
    config.write_text(VALID + "checkpoints: memory\n")
    called = call(capsys, "checkpoints", "list", config)
    assert called.code == 2
    assert "in memory" in called.err
