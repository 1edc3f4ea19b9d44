"""The step that takes fields out of sight."""

import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Sequence

from bridge.transforms.columns import with_values
from bridge.transforms.each_record import EachRecord, titled
from bridge.transforms.json_value import encoded, exactly_decoded
from bridge.transforms.paths import ABSENT, Places
from connectors.base import Batch
from connectors.transform import Transformed


class Cover(ABC):
    """What stands in the place of what is redacted."""

    @abstractmethod
    def of(self, value: object) -> object:
        """Instead of ``value``; ``ABSENT`` for nothing at all."""


class Mask(Cover):
    """The same text for all."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, value: object) -> object:
        return self._text


class Removal(Cover):
    """Nothing, not even the field's name."""

    def of(self, value: object) -> object:
        return ABSENT


class KeyedHash(Cover):
    """HMAC-SHA-256 of a text, or of all else as JSON writes it: the same for the same, and told by nobody else.

    Without the secret it cannot be tried out what a hash stands for.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, value: object) -> object:
        told = value.encode() if isinstance(value, str) else encoded(value)
        return hmac.digest(self._secret, told, hashlib.sha256).hex()


class Redact(EachRecord[bytes | None]):
    """What the paths lead to is covered; all else says what it said. A value that is not JSON does not pass.

    A tombstone has nothing to cover.
    """

    def __init__(self, paths: Sequence[str], cover: Cover) -> None:
        """Raises ``PathError``."""
        self._paths = tuple(paths)
        self._places = Places(paths)
        self._cover = cover

    @property
    def name(self) -> str:
        return titled("redact", ", ".join(self._paths))

    def _make(self, batch: Batch, index: int) -> bytes | None:
        value = batch.values[index]
        if value is None:
            return None
        root = exactly_decoded(value)
        self._places.change(root, self._cover.of)
        return encoded(root)

    def _with(self, batch: Batch, made: Sequence[bytes | None]) -> Transformed:
        return Transformed(with_values(batch, made))
