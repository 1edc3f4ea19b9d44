"""What users test their functions with."""

import asyncio
import threading
from dataclasses import replace

import pytest

from bridge.transforms import Record, TryAgainError
from bridge.transforms.trial import trial
from connectors.base import TransientError

RECORDS = [Record("shard", str(number), b"key", b"%d" % number, number) for number in range(4)]


def shared_out(record: Record) -> list[Record] | None:
    if record.value == b"1":
        raise ValueError("one is none")
    return [record, replace(record, value=b"again")] if record.value == b"2" else None


async def shared_out_later(record: Record) -> list[Record] | None:
    await asyncio.sleep(0)
    return shared_out(record)


@pytest.mark.parametrize("function", [shared_out, shared_out_later])
def test_a_trial_tells_what_goes_on_what_is_dropped_and_what_is_rejected(function: object) -> None:
    """As a mirror would have it, sync or async, without a mirror."""
    tried = trial(function, RECORDS)  # type: ignore[arg-type]
    assert [record.value for record in tried.records] == [b"2", b"again"]
    assert tried.dropped == (RECORDS[0], RECORDS[3])
    ((record, why),) = tried.rejected
    assert record is RECORDS[1]
    assert why.startswith("ValueError: one is none (test_trial.py:")


async def test_a_trial_works_where_a_loop_runs() -> None:
    """In a test that is async itself."""
    assert (await asyncio.to_thread(trial, lambda record: record, RECORDS)).records == tuple(RECORDS)


def test_a_trial_raises_what_makes_a_lane_wait() -> None:
    """A function that asks to be called again, and one that takes too long."""

    def soon(record: Record) -> None:
        raise TryAgainError("soon")

    with pytest.raises(TryAgainError, match="soon"):
        trial(soon, RECORDS)
    free = threading.Event()
    with pytest.raises(TransientError, match=r"no answer within 0.05 s"):
        trial(lambda _: free.wait(30), RECORDS, timeout_s=0.05)  # type: ignore[arg-type]
    free.set()


def test_records_of_a_trial_have_positions_of_their_own() -> None:
    """Two at one place could not be told apart."""
    with pytest.raises(ValueError, match="one position"):
        trial(lambda record: record, [RECORDS[0], RECORDS[0]])
