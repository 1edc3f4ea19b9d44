"""Batches and commits as spans. The only module that knows OpenTelemetry."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

from bridge.engine.tracing import BatchTrace, Tracer
from bridge.leavable_thread import LeavableThread
from connectors.base import Batch

_EXPORT_S = 5.0
_LEAVE_S = 3.0


class Export:
    """Sends spans from a thread of its own. What is not taken in time is dropped: no mirror waits for its traces."""

    def __init__(self, endpoint: str, sample_ratio: float, version: str, exporter: SpanExporter | None = None) -> None:
        """``exporter`` takes the place of the one that sends to ``endpoint``."""
        own = Resource({"service.name": "kmbridge", "service.version": version})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=own.merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,
        )
        sent_by = exporter or OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_S)
        self._provider.add_span_processor(BatchSpanProcessor(sent_by))
        self._tracer = self._provider.get_tracer("kmbridge", version)

    def tracer(self, mirror: str) -> Tracer:
        """Of the mirror of this name. Valid until ``leave``."""
        return OtelTracer(self._tracer, mirror)

    async def leave(self) -> None:
        """Export what is left, for as long as that takes no more than a moment."""
        # Its own last words would be about spans that nobody misses.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        thread = LeavableThread("traces")
        done = asyncio.wrap_future(thread.submit(self._provider.shutdown))
        thread.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await done


class OtelTracer(Tracer):
    """Each batch, and each commit, is a trace of its own."""

    def __init__(self, tracer: trace.Tracer, mirror: str) -> None:
        self._tracer = tracer
        self._mirror = mirror

    def batch(self, partition: str) -> BatchTrace:
        return _Spans(self._tracer, {"kmbridge.mirror": self._mirror, "kmbridge.partition": partition})

    def commit(self, size: int) -> AbstractContextManager[None]:
        return self._commit(size)

    @contextmanager
    def _commit(self, size: int) -> Iterator[None]:
        attributes: dict[str, AttributeValue] = {"kmbridge.mirror": self._mirror, "kmbridge.bytes": size}
        span = self._tracer.start_span("commit", context=Context(), attributes=attributes)
        try:
            yield
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, repr(error)))
            raise
        finally:
            span.end()


class _Spans(BatchTrace):
    """A span of the batch, and below it one after the other: read, submit, deliver."""

    def __init__(self, tracer: trace.Tracer, attributes: Mapping[str, AttributeValue]) -> None:
        self._tracer = tracer
        self._attributes = attributes
        self._began_ns = time.time_ns()
        self._batch: Span | None = None
        """None until there is something to tell: looks at an idle partition are not worth a trace."""
        self._stage: Span | None = None

    def read(self, batch: Batch) -> None:
        if not len(batch):
            return
        told = {"messaging.batch.message_count": len(batch), "kmbridge.bytes": batch.size}
        self._batch = self._tracer.start_span(
            "batch", context=Context(), attributes={**self._attributes, **told}, start_time=self._began_ns
        )
        self._enter("read", self._began_ns)
        self._enter("submit", time.time_ns())

    def submitted(self) -> None:
        self._enter("deliver", time.time_ns())

    def settled(self) -> None:
        self._end(None)

    def failed(self, cause: str) -> None:
        self._end(Status(StatusCode.ERROR, cause))

    def _enter(self, stage: str, now_ns: int) -> None:
        if self._stage is not None:
            self._stage.end(now_ns)
        if self._batch is not None:
            self._stage = self._tracer.start_span(stage, context=set_span_in_context(self._batch), start_time=now_ns)

    def _end(self, status: Status | None) -> None:
        for span in (self._stage, self._batch):
            if span is None:
                continue
            if status is not None:
                span.set_status(status)
            span.end()
