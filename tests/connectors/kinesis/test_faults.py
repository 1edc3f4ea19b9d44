"""What the server refuses: waited for, retried, or told."""

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Partition, Place, RefusedError, TransientError, UnreachableError
from tests.connectors.kinesis.fake import CountingObserver, FakeKinesis, opened
from tests.connectors.kinesis.reading import BUDGET, batches, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException"]
)
def test_a_throttled_shard_backs_off_and_goes_on(code: str) -> None:
    """Reads grow rarer while they are throttled, and nothing is lost or doubled."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FakeKinesis(clock), CountingObserver()
        fake.put(b"one")
        async with opened(fake, clock, observer) as source:
            fake.fail("GetRecords", *[code] * 20)
            assert await values(source, FIRST, Place(), 1) == [b"one"]
        assert observer.throttles["GetRecords"] == 20
        # Full jitter over spans of 0.2, 0.4, … 10 s: 20 failures take about 77 s, and never so few as 20.
        assert clock.monotonic() > 20

    run(main)


def test_faults_of_the_server_are_retried() -> None:
    """A few answers with 5xx in a row do not reach the engine."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FakeKinesis(clock), CountingObserver()
        fake.put(b"one")
        async with opened(fake, clock, observer) as source:
            fake.fail("GetRecords", *["InternalFailure"] * 5, status=500)
            fake.fail("GetShardIterator", "InternalFailure", status=503)
            assert await values(source, FIRST, Place(), 1) == [b"one"]
        assert observer.retries["GetRecords", "TransientError"] == 5
        assert observer.retries["GetShardIterator", "TransientError"] == 1

    run(main)


def test_faults_that_last_are_shown() -> None:
    """After ten failures in a row the lane learns of them, and can be read again from where it stood."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"one")
        async with opened(fake, clock) as source:
            fake.fail("GetRecords", *["InternalFailure"] * 10, status=500)
            with pytest.raises(TransientError, match="InternalFailure"):
                await values(source, FIRST, Place(), 1)
            assert await values(source, FIRST, Place(), 1) == [b"one"]

    run(main)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("KMSAccessDeniedException", "kms:Decrypt"),
        ("KMSDisabledException", "enable"),
        ("KMSInvalidStateException", "back into use"),
        ("KMSNotFoundException", "restore"),
        ("KMSOptInRequired", "opt in"),
        ("AccessDeniedException", "permission"),
        ("ExpiredTokenException", "session token"),
    ],
)
def test_what_a_person_must_solve_is_refused_with_a_hint(code: str, hint: str) -> None:
    """Keys, permissions and credentials are told at once, with operation, cause and remedy."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            fake.fail("GetRecords", code)
            with pytest.raises(RefusedError) as refused:
                await batches(source, FIRST, Place(), 1)
        assert "GetRecords" in refused.value.operation
        assert code in refused.value.cause
        assert hint in refused.value.hint

    run(main)


def test_a_position_of_another_stream_is_refused() -> None:
    """A sequence number that the shard does not know is an error with a name."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            fake.fail("GetShardIterator", "InvalidArgumentException")
            with pytest.raises(RefusedError, match="InvalidArgument"):
                await batches(source, FIRST, Place("17", clock.now_ms()), 1)
            with pytest.raises(RefusedError, match="is no position"):
                await batches(source, FIRST, Place("seventeen", clock.now_ms()), 1)

    run(main)


def test_no_budget_is_held_by_failed_reads_or_idle_shards() -> None:
    """What a read reserved comes back when it fails, when it brings nothing, and while the shard sleeps."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        budget = ByteBudget(BUDGET)
        seen: list[int] = []

        class Watching(CountingObserver):
            def retried(self, operation: str, reason: str) -> None:
                seen.append(budget.used)

        async with opened(fake, clock, Watching()) as source:
            fake.fail("GetRecords", *["InternalFailure"] * 3, status=500)
            fake.fail("GetShardIterator", "InternalFailure", status=500)
            reading = source.read(Partition(FIRST), Place(), budget)
            caught_up = await anext(reading)
            seen.append(budget.used)
            assert not len(caught_up)
            await reading.aclose()
        assert seen == [0] * 5

    run(main)


def test_a_batch_brings_a_reservation_of_its_true_size() -> None:
    """Many small records take more memory than their bytes, and the budget knows it."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for _ in range(200):
            fake.put(b"x")
        budget = ByteBudget(BUDGET)
        held: list[Batch] = []
        async with opened(fake, clock) as source:
            async for batch in source.read(Partition(FIRST), Place(), budget):
                held.append(batch)
                if sum(map(len, held)) == 200:
                    break
            assert budget.used == sum(batch.size + 300 * len(batch) for batch in held) == 200 * 302
            for batch in held:
                batch.release()
        assert budget.used == 0

    run(main)


def test_a_server_that_fails_at_the_start_is_unreachable() -> None:
    """Entering gives up after a few tries, in bounded time."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.fail("DescribeStreamSummary", *["ServiceUnavailable"] * 3, status=503)
        with pytest.raises(UnreachableError, match="ServiceUnavailable"):
            async with opened(fake, clock):
                pass

    run(main)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"])
def test_a_refusal_at_the_start_is_told_with_the_address(code: str) -> None:
    """Wrong names, permissions and credentials say where they were refused."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.fail("DescribeStreamSummary", code)
        with pytest.raises(RefusedError) as refused:
            async with opened(fake, clock):
                pass
        assert "http://fake" in refused.value.operation
        assert refused.value.hint

    run(main)


def test_a_stream_that_is_not_ready_is_refused() -> None:
    """A stream in creation or deletion is not read."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.extra_summary["StreamStatus"] = "DELETING"
        with pytest.raises(RefusedError, match="DELETING"):
            async with opened(fake, clock):
                pass

    run(main)
