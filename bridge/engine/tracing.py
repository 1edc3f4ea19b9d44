"""What can be told of a batch's way through a mirror, to whoever wants to follow it. Nobody does by default."""

from contextlib import AbstractContextManager, nullcontext

from connectors.base import Batch


class BatchTrace:
    """One batch, from the moment at which the source is asked for it.

    Calls come in this order, in the event loop, and must not block. A trace whose batch never came just ends.
    """

    def read(self, batch: Batch) -> None:
        """The source has handed ``batch`` out. One without records only tells that there were none."""

    def submitted(self) -> None:
        """The sink has it."""

    def settled(self) -> None:
        """It is durable, and the last that is told."""

    def failed(self, cause: str) -> None:
        """It is given up and will be read again; the last that is told, after any of the others."""


class Tracer:
    """Follows the batches of one mirror."""

    def batch(self, partition: str) -> BatchTrace:
        """The next one of ``partition``, which is asked for now."""
        return _UNHEARD

    def commit(self, size: int) -> AbstractContextManager[None]:
        """Around the commit of ``size`` bytes, and what that raises."""
        return nullcontext()


NO_TRACER = Tracer()

_UNHEARD = BatchTrace()
