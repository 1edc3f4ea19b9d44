"""What an earlier life left: intents of which nobody knows whether they reached the authority."""

from random import Random

import structlog

from bridge.engine.retry import Backoff
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.look_back import LookBack
from bridge.migration.dual_write.stretch import Stretch
from connectors import dual_write_id
from connectors.base import Clock, ConnectorError

log = structlog.get_logger(__name__)

_NAMED = 20


class Healing:
    """Looks for them at the authority. What is there the shadow is to have; what is not was never acknowledged."""

    def __init__(self, journal: Journal, look: LookBack, clock: Clock, tally: Tally, settle_s: float) -> None:
        """``settle_s`` is how much later it looks again before it believes that a record is not there."""
        self._journal = journal
        self._look = look
        self._clock = clock
        self._tally = tally
        self._settle_s = settle_s

    async def run(self, random: Random) -> None:
        """Try until it is known. Raises ``SpoolError``."""
        opened = self._journal.opened
        stretches = await self._journal.unanswered(opened.last)
        backoff = Backoff(random)
        while stretches:
            try:
                refused = await self._missing(stretches)
            except ConnectorError as error:
                self._tally.shadow_trouble = str(error)
                log.error("not known what the authority has of an earlier life, trying again", error=str(error))
                await self._clock.sleep(backoff.next())
            else:
                self._tell(opened.writer, stretches, refused)
                break
        await self._journal.write()

    async def _missing(self, stretches: list[Stretch]) -> set[int]:
        """The numbers of the records that the authority does not have."""
        if not self._look.can_tell:
            return set()
        numbers = {number for stretch in stretches for number in stretch.numbers}
        missing = numbers - await self._landed(stretches)
        if missing:
            # A call that the crash cut off may still be on its way.
            await self._clock.sleep(self._settle_s)
            missing -= await self._landed(stretches)
        return missing

    async def _landed(self, stretches: list[Stretch]) -> set[int]:
        self._tally.look_backs += 1
        oldest_ms = min(min(stretch.times_ms) for stretch in stretches)
        numbers = range(stretches[0].first, stretches[-1].numbers[-1] + 1)
        return set(await self._look.landed(numbers, oldest_ms))

    def _tell(self, writer: str, stretches: list[Stretch], missing: set[int]) -> None:
        for stretch in stretches:
            self._journal.note_answer(stretch.first, [number for number in stretch.numbers if number in missing])
        known = "written" if self._look.can_tell else "assumed"
        self._tally.healed[known] += sum(map(len, stretches)) - len(missing)
        self._tally.healed["dropped"] += len(missing)
        names = [dual_write_id.text(writer, number) for number in sorted(missing)[:_NAMED]]
        log.warning(
            "an earlier life ended before it heard from the authority",
            **{known: sum(map(len, stretches)) - len(missing)},
            dropped=len(missing),
            first_dropped=names,
        )
