"""A mirror as its operator sees it: starts, stops, faults of every class, and what each leaves behind."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from bridge.engine.mirror import MirrorFailedError
from bridge.engine.policy import OnError, OnGap, Policy
from bridge.engine.status import LaneState, MirrorState
from checkpoints.base import Checkpoint, CheckpointError
from checkpoints.memory import MemoryCheckpoints
from connectors import provenance
from connectors.base import ORIGIN_HEADER, GapError, Place, RefusedError, TransientError
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource
from tests.bridge.engine.setting import POISON, Plan, Setting, play


def test_a_drain_leaves_checkpoints_at_the_last_record() -> None:
    """After a drain the stored positions are those of the last records, and nothing is held back."""

    async def story(world: Setting) -> None:
        await world.run(world.all_there)
        checkpoints = await world.store.load()
        assert {name: checkpoint.position for name, checkpoint in checkpoints.items()} == {
            name: shard.records[-1].position for name, shard in world.stream.shards.items()
        }
        assert world.mirror is not None
        status = world.mirror.status()
        assert (status.state, status.buffered_bytes) == (MirrorState.STOPPED, 0)
        assert status.records_written == len(world.mirrored())

    play(story)


def test_a_second_run_goes_on_where_the_first_one_ended() -> None:
    """Nothing is doubled and nothing is missing between two runs."""

    async def story(world: Setting) -> None:
        await world.run(world.all_there)
        world.stream.put(b"key-1", b"later")
        await world.run(world.all_there)
        assert world.mirrored().count(b"later") == 1
        assert len(set(world.mirrored())) == len(world.mirrored())

    play(story)


def test_every_record_tells_where_it_comes_from() -> None:
    """The origin names source, partition and position; the destination is the sink."""

    async def story(world: Setting) -> None:
        await world.run(world.all_there)
        record = world.topic.partitions[0][0]
        (name, text) = record.headers[-1]
        assert name == ORIGIN_HEADER
        assert text is not None
        assert provenance.parse(text) == provenance.Hop(
            "memory:orders", record.partition, record.position, "memory:orders"
        )

    play(story)


def test_provenance_can_be_left_out() -> None:
    """Without it a record has the headers it had, none."""

    async def story(world: Setting) -> None:
        await world.run(world.all_there, Policy(provenance=False))
        assert all(not record.headers for log in world.topic.partitions for record in log)

    play(story)


def test_a_place_is_stored_before_the_first_record_is_read() -> None:
    """A mirror that is stopped before it read anything has a checkpoint of every partition all the same."""

    async def story(world: Setting) -> None:
        world.plan.errors = {("read", name): [TransientError("read", "not yet")] * 50 for name in world.stream.shards}
        await world.run(lambda: bool(world.mirror and world.mirror.status().lanes))
        assert {name: checkpoint.position for name, checkpoint in (await world.store.load()).items()} == dict.fromkeys(
            world.stream.shards
        )

    play(story)


def test_a_rejected_record_stops_its_lane_alone_and_nothing_behind_it_passes() -> None:
    """on_error: stop. The position is that of the record before, the error names the record and the way on."""

    async def story(world: Setting) -> None:
        poisoned = world.stream.shards["shard-0000"]
        key = poisoned.records[0].key or b""
        bad = world.stream.put(key, POISON)
        behind = world.stream.put(key, b"behind")
        await world.run(lambda: world.lane("shard-0000").state is LaneState.FAILED and len(world.mirrored()) > 15)
        lane = world.lane("shard-0000")
        assert lane.position == str(int(bad.position) - 1)
        assert lane.error is not None
        assert bad.position in lane.error
        assert "dead_letter" in lane.error
        assert behind.value not in world.mirrored()
        assert world.lane("shard-0001").position == world.stream.shards["shard-0001"].records[-1].position

    play(story)


def test_a_rejected_record_goes_to_the_dead_letter_and_the_lane_goes_on() -> None:
    """on_error: dead_letter. It arrives there with origin and reason, all others in the topic."""

    async def story(world: Setting) -> None:
        bad = world.stream.put(b"key-1", POISON)
        world.stream.put(b"key-1", b"behind")
        await world.run(lambda: b"behind" in world.mirrored(), Policy(on_error=OnError.DEAD_LETTER))
        (letter,) = world.dead.partitions[0]
        headers = dict(letter.headers)
        assert (letter.value, headers["kmbridge-reason"]) == (POISON, b"too_large")
        assert f"/{bad.partition}/{bad.position}>".encode() in (headers[ORIGIN_HEADER] or b"")
        assert world.mirror is not None
        assert world.mirror.status().dead_letters == {"too_large": 1}
        assert POISON not in world.mirrored()

    play(story)


def _gap() -> GapError:
    return GapError("read", "trimmed", lost_from="3", lost_to="5", resume=Place("5"))


def test_a_gap_stops_the_lane_and_leaves_its_position() -> None:
    """on_gap: stop. The lane shows what is lost; the others go on."""

    async def story(world: Setting) -> None:
        world.plan.errors[("read", "shard-0000")] = [_gap()]
        await world.run(lambda: world.lane("shard-0001").position is not None)
        lane = world.lane("shard-0000")
        assert (lane.state, lane.position) == (LaneState.FAILED, None)
        assert "trimmed" in (lane.error or "")

    play(story)


def test_a_gap_that_is_accepted_is_counted_and_kept_in_the_checkpoint() -> None:
    """on_gap: continue. The lane goes on behind the gap, and the checkpoint remembers it."""

    async def story(world: Setting) -> None:
        world.plan.errors[("read", "shard-0000")] = [_gap()]
        last = world.stream.shards["shard-0000"].records[-1].position
        await world.run(lambda: world.lane("shard-0000").position == last, Policy(on_gap=OnGap.CONTINUE))
        assert world.mirror is not None
        assert world.mirror.status().gaps == 1
        (gap,) = (await world.store.load())["shard-0000"].gaps
        assert (gap.lost_from, gap.lost_to, gap.cause) == ("3", "5", "trimmed")
        lost = [record.value for record in world.stream.shards["shard-0000"].records[:6]]
        assert not set(lost) & set(world.mirrored())

    play(story)


def test_a_recreated_stream_is_a_named_stop() -> None:
    """A checkpoint of another stream of the same name is not taken for this one's."""

    async def story(world: Setting) -> None:
        old = Checkpoint("3", None, finished=False, saved_ms=1, source="orders@0", sink="", gaps=())
        world.store = MemoryCheckpoints(dict.fromkeys(world.stream.shards, old))
        with pytest.raises(MirrorFailedError, match="recreated or changed: it was orders@0, and is orders@1"):
            await world.run(world.all_there)
        assert world.mirrored() == []

    play(story)


def test_the_source_hears_where_former_owners_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may show that to others, and whoever stored it may not have lived to do so."""
    shown: list[Mapping[str, Place]] = []
    monkeypatch.setattr(MemorySource, "stored", lambda _, places: shown.append(places))

    async def story(world: Setting) -> None:
        old = Checkpoint("3", 5, finished=False, saved_ms=1, source="", sink="", gaps=())
        world.store = MemoryCheckpoints(dict.fromkeys(world.stream.shards, old))
        await world.run(lambda: bool(shown))

    play(story)
    assert shown[0] == {"shard-0000": Place("3", 5), "shard-0001": Place("3", 5)}


def test_a_lane_that_is_refused_is_held_and_goes_on_when_mended() -> None:
    """Missing permissions are shown, nothing is skipped, and no restart is needed."""

    async def story(world: Setting) -> None:
        world.plan.errors[("read", "shard-0000")] = [RefusedError("read", "AccessDenied", "kms:Decrypt")] * 2
        states = set()

        def watched() -> bool:
            states.add(world.lane("shard-0000").state)
            return world.all_there()

        await world.run(watched)
        assert LaneState.HELD in states
        assert world.lane("shard-0000").error is None

    play(story)


def test_the_mirror_fails_when_no_lane_can_go_on() -> None:
    """It does not sit there doing nothing: it ends with every lane's error."""

    async def story(world: Setting) -> None:
        for name in world.stream.shards:
            world.plan.errors[("read", name)] = [_gap()]
        with pytest.raises(MirrorFailedError, match=r"shard-0000.*trimmed.*shard-0001.*trimmed"):
            await world.run(lambda: False)
        assert world.mirror is not None
        assert world.mirror.state is MirrorState.FAILED

    play(story)


def test_children_wait_for_a_parent_that_stopped() -> None:
    """What follows a gap in the lineage is not read before the gap is dealt with."""

    async def story(world: Setting) -> None:
        world.stream.split(world.stream.shards["shard-0000"])
        world.plan.errors[("read", "shard-0000")] = [_gap()]
        await world.run(lambda: world.lane("shard-0001").position is not None)
        assert [world.lane(child).state for child in ("shard-0002", "shard-0003")] == [LaneState.WAITING] * 2

    play(story)


def test_a_child_that_was_never_read_knows_when_its_parent_ended() -> None:
    """Its first watermark is its parent's last: what expires before its first read is a gap, not a beginning."""

    async def story(world: Setting) -> None:
        parent = world.stream.shards["shard-0000"]
        world.stream.split(parent)
        idle_ms = world.clock.now_ms() + 60_000
        await world.run(lambda: world.all_there() and world.clock.now_ms() > idle_ms)
        checkpoints = await world.store.load()
        assert checkpoints["shard-0000"].finished
        for child in ("shard-0002", "shard-0003"):
            assert (checkpoints[child].position, checkpoints[child].watermark_ms) == (
                None,
                parent.records[-1].timestamp_ms,
            )

    play(story)


def test_a_partition_that_expired_does_not_hold_its_children() -> None:
    """A parent that is no longer listed, and that no checkpoint knows, is no reason to wait."""

    async def story(world: Setting) -> None:
        world.stream.split(world.stream.shards["shard-0000"])
        del world.stream.shards["shard-0000"]
        world.stream.put(b"key-1", b"later")
        await world.run(lambda: b"later" in world.mirrored())

    play(story)


def test_checkpoints_that_cannot_be_kept_for_good_end_the_mirror() -> None:
    """A store that fails for a reason that no retry mends is not ignored."""

    class ForeignError(CheckpointError):
        retriable = False

    async def refuse(operation: str) -> None:
        if operation == "save" and refusing.is_set():
            raise ForeignError("save", "written by a newer version")

    refusing = asyncio.Event()

    async def story(world: Setting) -> None:
        world.store = MemoryCheckpoints(fault=refuse)

        def begun() -> bool:
            refusing.set()
            return False

        with pytest.raises(ForeignError):
            await world.run(begun)

    play(story)


def test_a_sink_that_became_another_is_a_named_stop() -> None:
    """A topic made anew, or with another number of partitions, does not get the rest of the old one's records."""

    async def story(world: Setting) -> None:
        old = Checkpoint("3", None, finished=False, saved_ms=1, source="orders@1", sink="orders@0", gaps=())
        world.store = MemoryCheckpoints(dict.fromkeys(world.stream.shards, old))
        with pytest.raises(MirrorFailedError, match="the sink was recreated or changed: it was orders@0"):
            await world.run(world.all_there)
        assert world.mirrored() == []

    play(story)


def _finished_elsewhere(world: Setting) -> MemoryCheckpoints:
    """The checkpoints of an earlier stream of the same name, in which every shard had come to its end."""
    old = Checkpoint("3", None, finished=True, saved_ms=1, source="orders@0", sink="orders@1", gaps=())
    return MemoryCheckpoints(dict.fromkeys(world.stream.shards, old))


class _Searchable(MemorySink):
    """Holds the first record of each shard of an earlier stream, by its origin."""

    def now_ms(self) -> int:
        return 9000

    async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
        return {name: {"0"} for name in since_ms}


def test_a_named_stop_stays_one_however_often_the_mirror_is_started() -> None:
    """Also where lanes store that they begin to write: those of another stream do not begin."""

    async def story(world: Setting) -> None:
        world.sink = _Searchable
        old = Checkpoint("3", None, finished=False, saved_ms=1, source="orders@0", sink="", unsettled_ms=1)
        world.store = MemoryCheckpoints(dict.fromkeys(world.stream.shards, old))
        for _ in range(2):
            with pytest.raises(MirrorFailedError, match="recreated or changed: it was orders@0, and is orders@1"):
                await world.run(world.all_there)
        assert await world.store.load() == dict.fromkeys(world.stream.shards, old)

    play(story)


def test_what_an_earlier_stream_left_in_the_sink_is_not_taken_for_this_ones() -> None:
    """Once the loss is accepted every record is mirrored, also at positions that the old stream had too."""

    async def story(world: Setting) -> None:
        world.sink = _Searchable
        old = Checkpoint("3", None, finished=False, saved_ms=1, source="orders@0", sink="", unsettled_ms=1)
        world.store = MemoryCheckpoints(dict.fromkeys(world.stream.shards, old))
        await world.run(world.all_there, Policy(on_gap=OnGap.CONTINUE))

    play(story)


def test_an_end_in_an_earlier_stream_is_none_in_this_one() -> None:
    """A recreated stream uses the old shard ids again: what was finished then is a gap now, not done."""

    async def story(world: Setting) -> None:
        world.store = _finished_elsewhere(world)
        with pytest.raises(MirrorFailedError, match=r"shard-0000.*recreated.*shard-0001.*recreated"):
            await world.run(world.all_there)

    play(story)


def test_a_recreated_stream_is_mirrored_whole_once_the_loss_is_accepted() -> None:
    """on_gap: continue reads the new stream from its beginning, also where the old one's shards were finished."""

    async def story(world: Setting) -> None:
        world.store = _finished_elsewhere(world)
        await world.run(world.all_there, Policy(on_gap=OnGap.CONTINUE))
        assert not any(checkpoint.finished for checkpoint in (await world.store.load()).values())

    play(story)


def test_a_drain_whose_last_save_fails_is_no_clean_end() -> None:
    """The mirror ends with the store's error, so that nobody takes the checkpoints for the last ones."""

    async def story(world: Setting) -> None:
        async def full(operation: str) -> None:
            if operation == "save" and world.mirrored():
                raise CheckpointError("save", "no space left on device")

        world.store = MemoryCheckpoints(fault=full)
        with pytest.raises(CheckpointError, match="no space left"):
            await world.run(world.all_there)
        assert world.mirror is not None
        assert world.mirror.state is MirrorState.FAILED

    play(story)


def test_checkpoints_that_cannot_be_saved_for_now_are_shown() -> None:
    """While the store fails every lane shows it; when it works again, nobody does."""

    async def story(world: Setting) -> None:
        broken = True

        async def full(operation: str) -> None:
            if operation == "save" and world.mirrored() and broken:
                raise CheckpointError("save", "no space left on device")

        seen = set()

        def mended() -> bool:
            nonlocal broken
            seen.add(world.lane("shard-0000").error)
            broken = not any(seen)
            return not broken and world.lane("shard-0000").error is None

        world.store = MemoryCheckpoints(fault=full)
        await world.run(mended)
        assert "save: no space left on device" in seen

    play(story)


class Silent(Plan):
    """A sink that takes records and does not answer until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = asyncio.Event()

    async def before(self, operation: str, target: str) -> None:
        if operation == "write":
            await self.answering.wait()
        await super().before(operation, target)


def test_a_sink_that_does_not_answer_is_seen() -> None:
    """The lag grows with the age of what waits, and the lanes say why; both pass when the sink answers."""

    async def story(world: Setting) -> None:
        silent = Silent()
        world.plan = silent
        lags: list[int] = []

        def noticed() -> bool:
            lags.append(world.lane("shard-0000").lag_ms)
            error = world.lane("shard-0000").error
            if error is not None:
                assert "has not answered" in error
                silent.answering.set()
            return silent.answering.is_set() and world.all_there() and error is None

        await world.run(noticed)
        assert max(lags) >= 10_000
        assert world.lane("shard-0000").lag_ms == 0

    play(story)


def test_a_sink_that_refuses_in_mid_run_is_shown_with_its_reason() -> None:
    """The lanes are held with what the sink says, not with the fact that they had to stop."""

    async def story(world: Setting) -> None:
        refusal = RefusedError("begin", "the topic had 4 partitions and has 6")
        world.plan.errors[("begin", "")] = [None, None, refusal, refusal]
        shown: set[tuple[LaneState, str | None]] = set()

        def watched() -> bool:
            shown.add((world.lane("shard-0000").state, world.lane("shard-0000").error))
            return (LaneState.HELD, str(refusal)) in shown and world.lane("shard-0000").error is None

        await world.run(watched)
        assert world.all_there()

    play(story)


def test_a_dead_letter_that_refuses_holds_the_lane_in_place() -> None:
    """Nothing is read or written a second time meanwhile, and the lane shows what is in its way."""

    async def story(world: Setting) -> None:
        bad = world.stream.put(b"key-1", POISON)
        refusing = RefusedError("write", "the dead letter's topic does not exist")
        world.dead_plan.errors[("write", bad.partition)] = [refusing] * 2
        seen: set[tuple[LaneState, str | None]] = set()

        def watched() -> bool:
            seen.add((world.lane(bad.partition).state, world.lane(bad.partition).error))
            return len(world.dead.partitions[0]) == 1 and world.all_there(but=1)

        await world.run(watched, Policy(on_error=OnError.DEAD_LETTER))
        assert (LaneState.HELD, str(refusing)) in seen
        assert len(world.mirrored()) == len(set(world.mirrored()))

    play(story)


class OnlyOneScope(Plan):
    """A sink that never gets ready again once something was written."""

    def __init__(self) -> None:
        super().__init__()
        self._has_written = False

    async def before(self, operation: str, target: str) -> None:
        if operation == "begin" and self._has_written:
            await asyncio.Event().wait()
        self._has_written = self._has_written or operation == "write"
        await super().before(operation, target)


def test_a_drain_does_not_wait_for_another_scope() -> None:
    """A sink that cannot go on keeps neither the mirror from ending nor what is durable from being saved."""

    async def story(world: Setting) -> None:
        world.plan = OnlyOneScope()
        await world.run(world.all_there)
        assert {name: checkpoint.position for name, checkpoint in (await world.store.load()).items()} == {
            name: shard.records[-1].position for name, shard in world.stream.shards.items()
        }

    play(story)
