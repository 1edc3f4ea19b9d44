"""Faults drawn from a seed: stalls and errors of every class, before any operation of connectors and stores."""

from dataclasses import dataclass
from random import Random

from checkpoints.base import CheckpointError
from connectors.base import Clock, RefusedError, TransientError, UnreachableError
from connectors.memory.faults import Faults


@dataclass(frozen=True, slots=True)
class Weather:
    """Chances per operation, and the longest stall in seconds."""

    stall: float
    error: float
    longest_s: float

    @classmethod
    def drawn(cls, random: Random) -> "Weather":
        """From calm to stormy."""
        return cls(random.choice((0.0, 0.1, 0.5)), random.choice((0.0, 0.02, 0.1)), random.choice((0.05, 1.0, 10.0)))


class SeededFaults(Faults):
    """Strikes by its weather until ``clear``, then never again, so that every run can come to its end."""

    def __init__(self, weather: Weather, random: Random, clock: Clock) -> None:
        self._weather = weather
        self._random = random
        self._clock = clock

    def clear(self) -> None:
        self._weather = Weather(0.0, 0.0, 0.0)

    async def before(self, operation: str, target: str) -> None:
        await self._clock.sleep(self.stall())
        if self._random.random() < self._weather.error:
            kind = self._random.choice((TransientError, UnreachableError, RefusedError))
            if operation == "look":
                # Who may not look cannot know, and sends again: that is no fault to be overcome.
                kind = TransientError
            raise kind(f"{operation} {target}", "a fault of the simulation")

    def stall(self) -> float:
        """Seconds that something takes longer than it should."""
        if self._random.random() >= self._weather.stall:
            return 0.0
        return self._random.uniform(0.0, self._weather.longest_s)

    async def before_store(self, operation: str) -> None:
        """The same for checkpoint stores; ``saved`` loses the answer of a save that took effect."""
        await self._clock.sleep(self.stall())
        if operation in ("save", "saved") and self._random.random() < self._weather.error:
            raise CheckpointError(operation, "a fault of the simulation")
