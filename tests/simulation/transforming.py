"""Steps that drop, split and refuse, always the same of the same record, and fail by the weather."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.transforms.chain import Chain
from bridge.transforms.columns import rebuilt, records_of
from connectors.base import Batch, Clock, Observer, Record, Rejected
from connectors.memory.faults import Faults
from connectors.transform import Transform, Transformed
from tests.simulation.scenario import POISON

_PARTS = 3

GROWTH = 10_000
"""More bytes than what is made of one batch, of ten records at most, may take beside the batch."""


def chain(clock: Clock, faults: Faults) -> Chain:
    """Two steps, each of which may refuse what the other has made."""
    return Chain([_Splitting(faults), _Sorting(faults)], clock, Observer())


def made(record: Record) -> tuple[Record, ...]:
    """What goes on of ``record`` to the sink, if it is fit."""
    return tuple(part for part in _split(record) if not _is_surplus(part))


def is_unfit(record: Record) -> bool:
    """Whether a step refuses it, or its last part."""
    return number(record) % 11 == 5


def number(record: Record) -> int:
    """That of the source record."""
    return int((record.value or b"").replace(POISON, b"").partition(b".")[0])


class _Splitting(Transform):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    @property
    def name(self) -> str:
        return "splitting"

    async def apply(self, batch: Batch) -> Transformed:
        await self._faults.before("split", batch.partition)
        answers = [_split(record) for record in records_of(batch)]
        parts = [(index, part) for index, answer in enumerate(answers) for part in answer]
        return Transformed(rebuilt(batch, parts), {"dull": answers.count(())})


class _Sorting(Transform):
    """Leaves out the first part of every other split record, and refuses the last one of an unfit record."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    @property
    def name(self) -> str:
        return "sorting"

    async def apply(self, batch: Batch) -> Transformed:
        await self._faults.before("sort", batch.partition)
        records = records_of(batch)
        last = {position: index for index, position in enumerate(batch.positions)}
        unfit = [index for index in last.values() if is_unfit(records[index])]
        surplus = [index for index, record in enumerate(records) if _is_surplus(record)]
        following = batch.pick([index for index in range(len(batch)) if index not in {*unfit, *surplus}])
        return Transformed(
            following, {"surplus": len(surplus)}, tuple(Rejected(index, "unfit", "of no use") for index in unfit)
        )


def _split(record: Record) -> Sequence[Record]:
    """None of some, several of others; of some of these a part that the sink refuses."""
    which = number(record)
    if which % 7 == 3 and not is_unfit(record):
        return ()
    if which % 5 != 1:
        return (record,)
    parts = [replace(record, value=b"%s.%d" % (record.value, part)) for part in range(_PARTS)]
    if which % 3 == 2:
        parts[-1] = replace(parts[-1], value=POISON + (parts[-1].value or b""))
    return tuple(parts)


def _is_surplus(record: Record) -> bool:
    return (record.value or b"").endswith(b".0") and number(record) % 2 == 1
