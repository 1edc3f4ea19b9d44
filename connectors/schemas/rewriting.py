"""Keys or values, each put from one registry's frame into the other's."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import Batch, Clock, Header
from connectors.schemas.cache import Latest
from connectors.schemas.definition import Field
from connectors.schemas.framing.frame import Packed
from connectors.schemas.translation import Counterpart, Known, Translation

_UNKNOWN_S = 60.0
"""So long an id that a registry does not have is not asked for again."""
_REMEMBERED = 10_000
_SLICE = 200
"""Payloads that are taken apart before anything else has its turn: milliseconds, where they are compressed."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What becomes of one column of a batch."""

    payloads: Sequence[bytes | None]
    told: Mapping[int, bytes | None]
    """By index what the header is to say of the schema; None: there is to be none. Only where that changes."""
    unknown: Mapping[int, str]
    """By index the id of a schema that its registry does not have, though it may have had it."""


@dataclass(frozen=True, slots=True)
class _Met:
    """What is known of payloads that begin alike: their schema, and what its messages are in the other registry."""

    schema: bytes
    known: Known | None
    """None of a schema that the registry did not have when it was asked."""
    asked: float
    """By the monotonic clock."""
    counterparts: Latest[bytes, Counterpart | None]
    """By what says which message a body is; None where the schema has no such message, and it only looked framed."""


class Rewriting:
    """The frames of one field. Remembers the schemas that it met last, and what they are in the other registry."""

    def __init__(self, translation: Translation, field: Field, clock: Clock) -> None:
        self.field = field
        self._translation = translation
        self._clock = clock
        self._source = translation.source.framing
        self._target = translation.target.framing
        self._prefixes = Latest[bytes, bytes](_REMEMBERED)
        """The other registry's prefix by that of payloads with nothing else to change; of Protobuf both with what says
        which message it is. No such prefix begins another.
        """
        self._sizes = Latest[bytes, frozenset[int]](_REMEMBERED)
        """How long these prefixes of Protobuf are, by what all messages of a schema have in common."""
        self._met = Latest[bytes, _Met](_REMEMBERED)
        """By the prefix, or by what the header says."""

    async def rewritten(self, batch: Batch) -> Rewritten:
        """Raises what the registries raise."""
        payloads = batch.keys if self.field is Field.KEY else batch.values
        column = _Column(payloads, self._headers(batch.headers), list(payloads))
        others = self._replace_prefixes(column)
        for start in range(0, len(others), _SLICE):
            if start:
                await asyncio.sleep(0)
            await self._rewrite(column, others[start : start + _SLICE])
        return Rewritten(column.made, column.told, column.unknown)

    def _headers(self, headers: Sequence[tuple[Header, ...]] | None) -> Mapping[int, bytes]:
        """By index what they say of the schema; without those that say something else."""
        wanted = self._source.headers.get(self.field)
        if headers is None or wanted is None:
            return {}
        return {
            index: value
            for index, several in enumerate(headers)
            for name, value in several
            if name == wanted and value is not None and self._source.schema_of(b"", value) is not None
        }

    def _replace_prefixes(self, column: "_Column") -> Sequence[int]:
        """Where that is all there is to do; the indexes of the others. Of all records, so it is as short as can be."""
        made, told = column.made, column.headers
        others = list(told)
        payloads = column.payloads
        if told:
            payloads = [None if index in told else payload for index, payload in enumerate(payloads)]
        # Most records begin as the one before them. Nothing begins with one of no texts.
        before: bytes | tuple[()] = ()
        size, prefix = 0, b""
        for index, payload in enumerate(payloads):
            if payload is None:
                continue
            if not payload.startswith(before):
                found = self._prefix_of(payload)
                if found is None:
                    others.append(index)
                    continue
                size, prefix = found
                before = payload[:size]
            made[index] = prefix + payload[size:]
        return others

    def _prefix_of(self, payload: bytes) -> tuple[int, bytes] | None:
        """How long the prefix of ``payload`` is and what stands in its place, if that is all there is to do."""
        size = self._source.prefix_size
        start = payload[:size]
        prefix = self._prefixes.get(start)
        if prefix is not None:
            return size, prefix
        for longer in self._sizes.get(start, ()):
            prefix = self._prefixes.get(payload[:longer])
            if prefix is not None:
                return longer, prefix
        return None

    async def _rewrite(self, column: "_Column", indexes: Sequence[int]) -> None:
        """Ask for what is not known yet, side by side, until all that is in ``indexes`` can be made."""
        while indexes:
            open_: dict[bytes, list[int]] = {}
            for index in indexes:
                start = self._make(column, index)
                if start is not None:
                    open_.setdefault(start, []).append(index)
            asked = [self._learn(start, column, first) for start, (first, *_) in open_.items()]
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                if answer is not None:
                    raise answer
            indexes = [index for several in open_.values() for index in several]

    def _make(self, column: "_Column", index: int) -> bytes | None:
        """Make one payload anew, or leave it; what it begins with, where something has to be asked first."""
        payload, header = column.payloads[index], column.headers.get(index)
        if payload is None:
            return None
        start = payload[: self._source.prefix_size] if header is None else header
        met = self._met.get(start)
        if met is None or (met.known is None and self._clock.monotonic() - met.asked > _UNKNOWN_S):
            return None if self._source.schema_of(payload, header) is None else start
        if met.known is None:
            if self._source.is_plausible(met.schema):
                column.unknown[index] = self._source.text(met.schema)
            return None
        unpacked = self._unpacked(met.known, payload, header)
        if unpacked is None:
            return None
        message, body = unpacked
        if message not in met.counterparts:
            return start
        counterpart = met.counterparts[message]
        if counterpart is not None:
            column.put(index, self._target.pack(counterpart.schema, counterpart.message, body))
        return None

    async def _learn(self, start: bytes, column: "_Column", index: int) -> None:
        """Ask for what payloads that begin with ``start`` need, as that at ``index`` does."""
        payload, header = column.payloads[index], column.headers.get(index)
        assert payload is not None  # noqa: S101 - it begins with something
        met = self._met.get(start)
        if met is None or met.known is None:
            schema = self._source.schema_of(payload, header) or b""
            known = await self._translation.known(schema)
            met = _Met(schema, known, self._clock.monotonic(), Latest(_REMEMBERED))
            self._met.remember(start, met)
        unpacked = None if met.known is None else self._unpacked(met.known, payload, header)
        if met.known is None or unpacked is None:
            return
        message, _ = unpacked
        counterpart = await self._counterpart(met, met.known, message)
        met.counterparts.remember(message, counterpart)
        if counterpart is not None and header is None and self._source.is_plain(payload) and self._target.prefix_only:
            self._remember(start, message, counterpart)

    def _remember(self, start: bytes, message: bytes, counterpart: Counterpart) -> None:
        self._prefixes.remember(
            start + message, self._target.pack(counterpart.schema, counterpart.message, b"").payload
        )
        if message:
            size = len(start) + len(message)
            self._sizes.remember(start, self._sizes.get(start, frozenset()) | {size})

    def _unpacked(self, known: Known, payload: bytes, header: bytes | None) -> tuple[bytes, bytes] | None:
        """What says which message of Protobuf it is, empty of others, and the body; None where it only looks framed."""
        rest = self._source.unpack(payload, header)
        if rest is None or known.messages is None:
            return None if rest is None else (b"", rest)
        size = self._source.message_size(rest)
        return None if size is None else (rest[:size], rest[size:])

    async def _counterpart(self, met: _Met, known: Known, message: bytes) -> Counterpart | None:
        name = None
        if known.messages is not None:
            name = self._source.message_name(message, known.messages)
            if name is None:
                return None
        return await self._translation.counterpart(self.field, met.schema, known, name)


@dataclass(frozen=True, slots=True)
class _Column:
    """Payloads on their way."""

    payloads: Sequence[bytes | None]
    headers: Mapping[int, bytes]
    made: list[bytes | None]
    told: dict[int, bytes | None] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)

    def put(self, index: int, packed: Packed) -> None:
        self.made[index] = packed.payload
        if packed.header is not None or index in self.headers:
            self.told[index] = packed.header
