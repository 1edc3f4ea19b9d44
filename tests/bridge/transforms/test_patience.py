"""How long a call may take, in virtual time."""

import asyncio

import pytest

from bridge.transforms.calls import AwaitedRecordCalls
from bridge.transforms.patience import Patience
from connectors.base import Record, TransientError
from tests.simulation.virtual_time import VirtualClock, run

RECORDS = [Record("p", str(number), None, b"%d" % number, 0) for number in range(40)]


def test_each_call_has_its_own_time() -> None:
    """However long all of them take; the one that takes too long is given up soon, and it alone."""

    async def main(clock: VirtualClock) -> None:
        async def slow(record: Record) -> Record:
            await clock.sleep(9.0)
            return record

        async def stuck(record: Record) -> Record:
            await clock.sleep(9.0 if record.position != "30" else 3_600.0)
            return record

        patience = Patience("python m:f", 10.0)
        assert len(await AwaitedRecordCalls(slow, patience).answers(RECORDS)) == len(RECORDS)
        since_s = clock.monotonic()
        with pytest.raises(TransientError, match="transform by python m:f: no answer within 10 s"):
            await AwaitedRecordCalls(stuck, patience).answers(RECORDS)
        assert 30 * 9.0 + 10.0 <= clock.monotonic() - since_s <= 30 * 9.0 + 11.0

    run(main)


def test_a_time_out_of_the_functions_own_is_an_answer() -> None:
    """It is the record's, as any other exception."""

    async def main(clock: VirtualClock) -> None:
        async def impatient(record: Record) -> Record:
            async with asyncio.timeout(1.0):
                await clock.sleep(5.0)
            return record

        answers = await AwaitedRecordCalls(impatient, Patience("python m:f", 10.0)).answers(RECORDS[:2])
        assert [type(each) for each in answers] == [TimeoutError, TimeoutError]

    run(main)
