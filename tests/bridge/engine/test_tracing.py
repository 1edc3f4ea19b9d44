"""What is told of batches on their way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from bridge.engine.tracing import BatchTrace, Tracer
from connectors.base import Batch, TransientError
from tests.bridge.engine.small_mirror import SmallMirror
from tests.simulation.virtual_time import VirtualClock, run


class Heard(Tracer):
    """Each trace as the words that were told."""

    def __init__(self) -> None:
        self.traces: list[list[str]] = []
        self.commits: list[str] = []

    def batch(self, partition: str) -> BatchTrace:
        words: list[str] = []
        self.traces.append(words)
        return _Heard(words)

    def commit(self, size: int) -> AbstractContextManager[None]:
        return self._commit()

    @contextmanager
    def _commit(self) -> Iterator[None]:
        yield
        self.commits.append("done")

    def with_records(self) -> list[list[str]]:
        return [words for words in self.traces if words and words[0] != "read 0"]


class _Heard(BatchTrace):
    def __init__(self, words: list[str]) -> None:
        self._words = words

    def read(self, batch: Batch) -> None:
        self._words.append(f"read {len(batch)}")

    def submitted(self) -> None:
        self._words.append("submitted")

    def settled(self) -> None:
        self._words.append("settled")

    def failed(self, cause: str) -> None:
        self._words.append("failed")


def test_a_batch_is_followed_from_the_source_to_durability() -> None:
    """Each is read, submitted and settled once, and commits are told apart from batches."""
    heard = Heard()

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock, heard)
        async with small.running():
            await small.when(lambda: small.written == 10)

    run(main)
    assert heard.with_records() == [["read 5", "submitted", "settled"]] * 2
    assert heard.commits


def test_a_batch_that_is_given_up_is_told_so_and_followed_anew() -> None:
    """No trace stays open behind a fault, and the second try is another trace."""
    heard = Heard()

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock, heard)
        small.writing.error = TransientError("write", "no leader")
        async with small.running():
            await small.when(lambda: any("failed" in words for words in heard.traces))

    run(main)
    ends = [words[-1] for words in heard.with_records()]
    assert "failed" in ends
    assert set(ends) <= {"failed", "settled"}
