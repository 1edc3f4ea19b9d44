"""What goes wrong on request."""


class Faults:
    """Asked before each operation; may wait, or raise a ``ConnectorError``. This one lets everything pass."""

    async def before(self, operation: str, target: str) -> None:
        """``operation`` is ``read``, ``write`` or ``begin``; ``target`` a partition or lane, empty for ``begin``.

        Of a transaction there are also ``prepare``, before a group's generation is asked, ``commit``, before the commit
        is sent, and ``committed``, before it is answered.
        """
