"""Why an order was not carried out, as it travels: the errors of ``Control``, there and back."""

from dataclasses import dataclass
from typing import Self

from bridge.engine.passing import OrderError, UnknownLaneError
from bridge.errors import UsageError
from connectors.base import SettingsError

RefusedOrder = OrderError | UsageError | SettingsError

REFUSALS = (OrderError, UsageError, SettingsError)
"""The same, for who catches them."""

_STATUSES: dict[int, type[RefusedOrder]] = {404: UnknownLaneError, 409: OrderError, 400: UsageError, 422: SettingsError}
"""The special ones before those that they are of."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error, in plain values."""

    status: int
    """As HTTP has it: 404 no such lane here, 409 not as things are, 400 and 422 an order that makes no sense."""
    operation: str
    cause: str
    hint: str

    @classmethod
    def of(cls, error: RefusedOrder) -> Self:
        """What is left of ``error`` on the way: its class, by ``status``, and its texts."""
        status = next(number for number, kind in _STATUSES.items() if isinstance(error, kind))
        return cls(status, error.operation, error.cause, error.hint)

    def error(self) -> RefusedOrder:
        """What ``of`` was made of, for whoever gave the order."""
        return _STATUSES.get(self.status, OrderError)(self.operation, self.cause, self.hint)
