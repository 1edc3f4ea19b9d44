"""A step that makes records readable for those who ask another registry."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from connectors.base import Batch, Clock, Header, RefusedError, Rejected, size_of
from connectors.schemas.definition import Field
from connectors.schemas.rewriting import Rewriting, Rewritten
from connectors.schemas.settings import Unknown
from connectors.schemas.translation import Translation
from connectors.transform import Transform, Transformed

UNKNOWN_SCHEMA = "unknown_schema"


class SchemaStep(Transform):
    """Makes the frames of keys and values anew; bodies stay, and so does whatever is in no frame.

    A registry that does not answer raises ``TransientError``: no record passes with an id of the wrong registry.
    """

    def __init__(self, translation: Translation, fields: Sequence[Field], unknown: Unknown, clock: Clock) -> None:
        self._translation = translation
        self._unknown = unknown
        self._rewritings = [Rewriting(translation, field, clock) for field in fields]
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(self._translation.source)
            await opened.enter_async_context(self._translation.target)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    @property
    def name(self) -> str:
        return f"schemas {self._translation.source.kind} to {self._translation.target.kind}"

    def look_again(self) -> None:
        for rewriting in self._rewritings:
            rewriting.forget_unknown()

    async def apply(self, batch: Batch) -> Transformed:
        refused: dict[int, Rejected] = {}
        made = batch
        for rewriting in self._rewritings:
            rewritten = await rewriting.rewritten(batch)
            made = self._with(made, rewriting.field, rewritten)
            if self._unknown is not Unknown.PASS:
                for index, schema in sorted(rewritten.unknown.items()):
                    refused.setdefault(index, self._refused(batch, index, rewriting.field, schema))
        made = replace(made, size=size_of(made.keys, made.values))
        rejected = tuple(refused[index] for index in sorted(refused))
        return Transformed(made.without(rejected), rejected=rejected)

    def _with(self, batch: Batch, field: Field, rewritten: Rewritten) -> Batch:
        if rewritten.told:
            batch = replace(batch, headers=self._headers(batch, field, rewritten.told))
        if field is Field.KEY:
            return replace(batch, keys=rewritten.payloads)
        return replace(batch, values=rewritten.payloads)

    def _headers(self, batch: Batch, field: Field, told: Mapping[int, bytes | None]) -> Sequence[tuple[Header, ...]]:
        """What is told of the schema stands behind all others."""
        before = self._translation.source.framing.headers.get(field)
        after = self._translation.target.framing.headers.get(field)
        headers = list(batch.headers if batch.headers is not None else ((),) * len(batch))
        for index, value in told.items():
            others = tuple(header for header in headers[index] if header[0] not in (before, after))
            headers[index] = others if after is None or value is None else (*others, (after, value))
        return headers

    def _refused(self, batch: Batch, index: int, field: Field, schema: str) -> Rejected:
        detail = f"the {field} has the schema {schema}, which {self._translation.source.address} does not have"
        if self._unknown is Unknown.STOP:
            raise RefusedError(
                f"translate record {batch.positions[index]} of {batch.partition}",
                detail,
                "register it there again; or set transforms[].schemas.unknown to dead_letter, or to pass where what is "
                "in no frame may begin like one",
            )
        return Rejected(index, UNKNOWN_SCHEMA, detail, "once it is registered there, kmbridge lane retry tries again")
