"""How much may wait for one commit."""

_GOOD_S = 1.0
_LONG_S = 2.0
_LEAST = 2**20


class Allowance:
    """Bytes of one scope, adapted to how long commits take: a broker ends transactions that last too long.

    Without it a slow way to the broker would let each transaction grow by what was read during the last one.
    """

    def __init__(self, most: int) -> None:
        self._most = max(most, _LEAST)
        self.size = self._most

    def confine(self, most: int) -> None:
        """At most ``most`` from now on."""
        self._most = max(most, _LEAST)
        self.size = min(self.size, self._most)

    def took(self, seconds: float, size: int) -> None:
        """A commit of ``size`` bytes took ``seconds``."""
        if seconds > _LONG_S:
            self.size = min(self.size, max(_LEAST, round(size / seconds * _LONG_S)))
        elif seconds < _GOOD_S and size * 2 > self.size:
            self.size = min(self._most, self.size * 2)

    def failed(self) -> None:
        """It came to nothing, maybe for its length."""
        self.size = max(_LEAST, self.size // 2)
