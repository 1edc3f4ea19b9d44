"""Orders to the lanes of a mirror in this process."""

from bridge.control.order import Action, Answer, Order, Skipped
from bridge.engine.mirror import Mirror
from bridge.engine.orders import Carried
from bridge.engine.passing import OrderError, Passed
from bridge.errors import UsageError
from bridge.jobs.span import Kind, point, positions_in
from connectors.base import ConnectorError, End, Partition, Position, RefusedError, SettingsError, Source

_OPTION = "--until"


class MirrorControl:
    """A ``Control`` of ``mirror``, which reads ``source``."""

    def __init__(self, mirror: Mirror, source: Source) -> None:
        self._mirror = mirror
        self._source = source

    async def carry_out(self, order: Order) -> Answer:
        """As promised by ``Control``."""
        return self._answer(order.partition, await self._carried(order))

    async def _carried(self, order: Order) -> Carried:
        orders, name, who = self._mirror.orders, order.partition, order.who
        if order.until is not None and order.action is not Action.SKIP:
            raise UsageError(f"{order.action.value} {_OPTION} {order.until}", "only skip has an end")
        match order.action:
            case Action.PAUSE:
                return await orders.pause(name, who)
            case Action.RESUME:
                return await orders.resume(name, who)
            case Action.RETRY:
                return await orders.retry(name, who)
            case Action.SKIP:
                orders.check("skip", name)
                return await orders.skip(name, who, None if order.until is None else await self._end(name, order.until))

    async def _end(self, name: str, text: str) -> End:
        until = point(_OPTION, [text])
        if until.kind is Kind.OLDEST:
            raise UsageError(f"{_OPTION} {text}", "nothing is before it", "a lane never moves backward")
        if until.kind is Kind.POSITIONS:
            return End(self._comparable(positions_in(_OPTION, until, {name})[name]))
        try:
            return (await self._source.ends([Partition(name)], until.time_ms))[name]
        except SettingsError:
            raise
        except ConnectorError as error:
            raise OrderError(f"skip {_OPTION} {text}", f"the source does not tell where that is: {error}") from error

    def _comparable(self, position: Position) -> Position:
        """``position``. Raises ``UsageError`` where it is none: a lane that cannot compare it would be held."""
        try:
            self._source.rank(position)
        except RefusedError as error:
            raise UsageError(
                f"{_OPTION} {position}", error.cause, "kmbridge checkpoints list shows positions"
            ) from None
        return position

    def _answer(self, name: str, carried: Carried) -> Answer:
        skipped = None if carried.passed is None else self._skipped(name, carried.passed)
        return Answer(carried.state.value, carried.before, carried.after, carried.is_kept, skipped)

    def _skipped(self, name: str, passed: Passed) -> Skipped:
        origin = f"{self._source.address}/{name}/{passed.lost_from}" if passed.records == 1 else None
        return Skipped(passed.lost_from, passed.lost_to, passed.records, origin, passed.cause)
