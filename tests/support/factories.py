"""The types of the fixtures that make things on request."""

from collections.abc import Mapping
from typing import Protocol

from tests.support.ferrokinesis import Ferrokinesis, Flag
from tests.support.kafka import KafkaBroker


class OwnKafka(Protocol):
    def __call__(self, settings: Mapping[str, str] | None = None) -> KafkaBroker: ...


class OwnKinesis(Protocol):
    def __call__(self, **flags: Flag) -> Ferrokinesis: ...


class TopicFactory(Protocol):
    def __call__(self, partitions: int = 4, config: Mapping[str, str] | None = None) -> str: ...


class StreamFactory(Protocol):
    def __call__(self, shards: int = 4) -> str: ...


class Figure(Protocol):
    """Notes what was measured; the run's last lines tell it."""

    def __call__(self, name: str, value: object) -> None: ...
