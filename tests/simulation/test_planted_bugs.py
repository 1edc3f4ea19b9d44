"""The simulation is worth its time only if it finds bugs: each of these is planted, and must be found."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest

from bridge.engine import lanes, pipeline
from bridge.engine.delivery import Delivery
from bridge.engine.lanes import Lanes
from bridge.engine.ledger import Ledger
from bridge.engine.pipeline import Pipeline
from bridge.engine.progress import Progress
from bridge.engine.standings import Standings
from connectors.base import (
    Batch,
    ConnectorError,
    Outcome,
    Partition,
    Place,
    Scope,
    TransientError,
    UncertainError,
)
from tests.simulation.group import Group
from tests.simulation.invariants import ViolationError
from tests.simulation.life import simulate

_SEEDS = 200


def _find(first: int = 0) -> None:
    """Live through seeds until one fails; passes silently if none does."""
    for seed in range(first, first + _SEEDS):
        simulate(seed)


def test_finds_a_checkpoint_before_the_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A position that moves when a batch is read, not when it is durable."""
    read = Progress.read

    def hasty(self: Progress, batch: Batch, submitted_ms: int | None, refused: int, records: int | None) -> None:
        read(self, batch, submitted_ms, refused, records)
        self.place = batch.place

    monkeypatch.setattr(Progress, "read", hasty)
    with pytest.raises(ViolationError):
        _find()


def test_finds_a_child_started_before_its_parent_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lineage gate that lets everybody pass."""

    def careless(waiting: Iterable[Partition], unfinished: Collection[str]) -> list[Partition]:
        return list(waiting)

    monkeypatch.setattr(lanes, "startable", careless)
    with pytest.raises(ViolationError):
        _find()


def test_finds_a_retry_of_only_the_failed_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that takes a failed submission as done and goes on with the ones behind it."""
    settle = Pipeline._settle

    async def lenient(self: Pipeline, submission: Any) -> None:
        try:
            await settle(self, submission)
        except ConnectorError:
            self._progress.settle(submission.crossing.made, 0)

    monkeypatch.setattr(Pipeline, "_settle", lenient)
    with pytest.raises(ViolationError):
        _find()


def test_finds_a_retry_of_the_failed_batch_behind_later_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that submits a failed batch again by itself, after others of its records have passed."""
    settle = Pipeline._settle

    async def stubborn(self: Pipeline, submission: Any) -> None:
        while True:
            try:
                return await settle(self, submission)
            except ConnectorError:
                epoch = await self._around.delivery.ready()
                answer = self._around.delivery.submit(epoch, self._partition.id, submission.sent)
                submission = pipeline._Submission(submission.crossing, submission.sent, answer, submission.trace)

    monkeypatch.setattr(Pipeline, "_settle", stubborn)
    monkeypatch.setattr(Delivery, "submit", _submit_whatever_the_epoch)
    with pytest.raises(ViolationError):
        _find()


def test_finds_a_budget_that_is_never_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that forgets to release what is settled."""
    monkeypatch.setattr(Batch, "release", lambda self: None)
    with pytest.raises((ViolationError, TimeoutError)):
        _find()


def test_finds_a_resume_at_the_record_instead_of_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that goes on one record too far after a fault."""
    rewind = Progress.rewind

    def skipping(self: Progress) -> None:
        rewind(self)
        if self.place.position is not None:
            self.place = Place(str(int(self.place.position) + 1), self.place.watermark_ms)

    monkeypatch.setattr(Progress, "rewind", skipping)
    with pytest.raises((ViolationError, TimeoutError)):
        _find()


def test_finds_a_ledger_that_confirms_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a transaction was to store counts as stored, though it may be aborted yet."""
    save = Ledger.save

    async def hasty(self: Ledger, covered: Mapping[str, Place]) -> None:
        await save(self, covered)
        self.confirm()

    monkeypatch.setattr(Ledger, "save", hasty)
    with pytest.raises(ViolationError):
        _find()


def test_finds_a_lane_that_is_not_read_anew_after_an_uncertain_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer that is taken for a refusal."""
    notice = Delivery._break

    def sure(self: Delivery, error: BaseException) -> None:
        notice(self, TransientError("commit", "aborted") if isinstance(error, UncertainError) else error)

    monkeypatch.setattr(Delivery, "_break", sure)
    with pytest.raises(ViolationError):
        _find()


def test_finds_lanes_that_are_forgotten_before_they_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hand-over that answers at once, with records on their way."""

    async def careless(self: Lanes, slots: Collection[int]) -> None:
        async with self._changing:
            names = self._standings.lanes_in(slots)
            given_up = [self.lanes[name] for name in names]
            self._forget(names, slots)
            for lane in given_up:
                lane.drain()

    monkeypatch.setattr(Lanes, "give_up", careless)
    with pytest.raises((ViolationError, TimeoutError, KeyError)):
        _find()


def test_finds_a_child_started_before_its_parent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lineage gate that knows the partitions of this worker alone."""
    unfinished = Standings.unfinished
    monkeypatch.setattr(Standings, "unfinished", lambda self: {name for name in unfinished(self) if self.owns(name)})
    with pytest.raises(ViolationError):
        _find()


def test_finds_a_child_that_another_worker_saw_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that is not listed yet, and is taken for one that is not listed any more."""
    monkeypatch.setattr(Standings, "unlisted", lambda self: set())
    with pytest.raises(ViolationError, match="overtook"):
        _find(3500)


def test_finds_a_scope_that_is_left_behind_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records are committed by the next one, without their checkpoints."""

    async def careless(self: Delivery, ended: Scope) -> Scope:
        return await self._sink.begin()

    monkeypatch.setattr(Delivery, "_following", careless)
    with pytest.raises((ViolationError, TimeoutError)):
        _find()


def test_finds_a_transaction_that_no_generation_fences(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was frozen commits what others have committed meanwhile."""
    monkeypatch.setattr(Group, "is_current", lambda self, member, generation: True)
    with pytest.raises(ViolationError):
        _find()


def _submit_whatever_the_epoch(self: Delivery, epoch: int, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
    answer: asyncio.Future[Outcome]
    if self._scope is None or not len(batch):
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(Outcome())
        return answer
    answer = self._scope.submit(lane, batch)
    answer.add_done_callback(lambda done: self._notice(self._epoch, done))
    return answer
