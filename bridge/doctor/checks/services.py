"""Which services of AWS read a stream, as far as these tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.doctor.check import Check, Findings
from bridge.doctor.scene import Ask, Role, StreamEnd
from bridge.findings import Finding
from bridge.groups import together
from connectors.base import ConnectorError
from connectors.kinesis.services import ReadingService

FUNCTIONS, DELIVERY_STREAMS = "Lambda functions", "Firehose delivery streams"


@dataclass(frozen=True, slots=True)
class Told:
    """Those that read it, by kind; and why a kind did not tell, which is never a failure: a mirror needs none of it."""

    services: dict[str, Sequence[ReadingService]]
    untold: Findings


async def told(check: Check, role: Role, stream: StreamEnd) -> Told:
    """What both kinds tell, asked side by side."""
    asks = {FUNCTIONS: stream.functions, DELIVERY_STREAMS: stream.delivery_streams}
    async with together() as tasks:
        asked = {kind: tasks.create_task(_answer(check, role, kind, ask)) for kind, ask in asks.items()}
    answers = {kind: task.result() for kind, task in asked.items()}
    return Told(
        {kind: answer for kind, answer in answers.items() if not isinstance(answer, Finding)},
        [answer for answer in answers.values() if isinstance(answer, Finding)],
    )


async def _answer(
    check: Check, role: Role, kind: str, ask: Ask[Sequence[ReadingService]]
) -> Sequence[ReadingService] | Finding:
    try:
        return await ask()
    except ConnectorError as error:
        return check.skipped(f"{kind} that read the {role}", error.cause, error.hint)
