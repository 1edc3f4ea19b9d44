"""The records of the checkpoint topic: keys and values that a person can read with any Kafka tool."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a checkpoint: a transactional id, and the group in which its worker is a member while it lives."""

    writer: str
    group: str
