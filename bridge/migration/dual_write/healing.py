"""What an earlier life left: intents of which nobody knows whether they reached the authority."""

from random import Random

import structlog

from bridge.engine.retry import Backoff
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.errors import SpoolError
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.look_back import Landed, LookBack
from bridge.migration.dual_write.stretch import Stretch
from connectors import dual_write_id
from connectors.base import Clock, ConnectorError

log = structlog.get_logger(__name__)

_NAMED = 20


class Healing:
    """Looks for them at the authority. What is there the shadow is to have; what is not was never acknowledged."""

    def __init__(self, journal: Journal, look: LookBack, clock: Clock, tally: Tally) -> None:
        self._journal = journal
        self._look = look
        self._clock = clock
        self._tally = tally

    async def run(self, random: Random) -> None:
        """Try until it is known, and written down. Raises what is no error of an end or of the spool."""
        backoff = Backoff(random)
        while True:
            try:
                await self._heal()
            except (ConnectorError, SpoolError) as error:
                self._tally.shadow_trouble = str(error)
                log.error("not known what the authority has of an earlier life, trying again", error=str(error))
                await self._clock.sleep(backoff.next())
            else:
                return

    async def _heal(self) -> None:
        # Asking again writes down what was told, and finds nothing then.
        while stretches := await self._journal.unanswered(self._journal.opened.last):
            self._tell(stretches, await self._landed(stretches))

    async def _landed(self, stretches: list[Stretch]) -> Landed:
        oldest = await self._journal.unsettled(stretches[-1].first)
        if oldest is None:
            raise RuntimeError("what has no answer is not in the journal")
        _, since = oldest
        return await self._look.landed_at_last(_numbers(stretches), since)

    def _tell(self, stretches: list[Stretch], landed: Landed) -> None:
        """What the authority does not have was never acknowledged. What it cannot tell it is taken to have."""
        numbers = _numbers(stretches)
        others = numbers - landed.places.keys()
        missing = others if landed.is_whole else set[int]()
        for stretch in stretches:
            self._journal.note_answer(stretch.first, [number for number in stretch.numbers if number in missing])
        outcomes = {
            "written": len(numbers) - len(others),
            "dropped": len(missing),
            "assumed": len(others) - len(missing),
        }
        self._tally.healed.update(outcomes)
        first = [dual_write_id.text(self._look.writer, number) for number in sorted(missing)[:_NAMED]]
        log.warning("an earlier life ended before it heard from the authority", **outcomes, first_dropped=first)


def _numbers(stretches: list[Stretch]) -> set[int]:
    return {number for stretch in stretches for number in stretch.numbers}
