"""The contract of documents: small texts with names that a mirror keeps beside its checkpoints.

They are for what concerns a mirror as a whole and has to outlive any one machine, as how far a migration has come. No
worker of the mirror reads or writes them.
"""

import os
import re
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import uuid4

from checkpoints.base import CheckpointError

LONGEST = 262_144
"""Bytes of a document's text as UTF-8. The smallest place of all takes 400 KB (an item of DynamoDB)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True)
class Document:
    """A text as it stands. ``version`` rises by one with each save, from 1 on.

    ``author`` is for people: host, process and a part that is new with each save.
    """

    text: str
    version: int
    author: str


class DocumentChangedError(CheckpointError):
    """Somebody else has saved this document since it was loaded. Nothing was written; load it and decide anew."""

    retriable = False


class DocumentTooLongError(CheckpointError):
    """The text is longer than ``LONGEST``. Nothing was written; keep less of it."""

    retriable = False


class Documents(ABC):
    """A mirror's documents, each by its name: 1 to 60 of a-z, 0-9 and -. Used while entered.

    Neither reading nor writing disturbs a running mirror, and needs none of what its workers own. Resetting checkpoints
    leaves documents alone.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what was opened."""

    @abstractmethod
    async def load(self, name: str) -> Document | None:
        """As it was saved last by anybody; None where it never was. Makes nothing where nothing is.

        Raises ``CheckpointError``.
        """

    async def save(self, name: str, text: str, expected: int | None) -> Document:
        """Write ``text`` where the version is ``expected`` still; None: where there is no such document yet.

        Durable on return, also across kill -9. Of many who save upon the same version, on however many machines,
        exactly one succeeds: the others get ``DocumentChangedError``.

        Raises ``DocumentTooLongError``, and another ``CheckpointError`` where nothing is certain: load it again, and
        look whether its text is the one that was to be saved. So after a cancelled save, which takes effect or not,
        whole, and never over a later one.
        """
        operation = f"save document {checked_name(name)}"
        if (length := len(text.encode())) > LONGEST:
            raise DocumentTooLongError(operation, f"it has {length} bytes, and at most {LONGEST} are kept")
        document = Document(text, (expected or 0) + 1, _new_author())
        found = await self._replace(name, expected, document)
        if found != document:
            raise _changed(operation, expected, found)
        return document

    @abstractmethod
    async def _replace(self, name: str, expected: int | None, document: Document) -> Document | None:
        """Put ``document`` in the place of version ``expected``, if that is what stands there; what stands there then.

        What is returned is ``document`` also where an earlier attempt of this call had written it, whose answer was
        lost: no two saves have the same author.
        """


def checked_name(name: str) -> str:
    """``name``. Raises ``ValueError`` where no document can be called so."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"a document called {name!r}: allowed are 1 to 60 of a-z, 0-9 and -")
    return name


def _new_author() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex}"


def _changed(operation: str, expected: int | None, found: Document | None) -> DocumentChangedError:
    built_on = "that there is none yet" if expected is None else f"version {expected}"
    stands = "there is none any more" if found is None else f"version {found.version} was saved by {found.author}"
    return DocumentChangedError(
        operation,
        f"{stands}, and this was built on {built_on}",
        "nothing was written; see that one machine alone works on it, and run the command again: it goes on from there",
    )
