import asyncio
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bridge.engine.tracing import NO_TRACER
from bridge.errors import UsageError
from bridge.telemetry.traces import TraceSettings, check_installed, tracing
from bridge.telemetry.traces.otel import Export
from connectors.base import Batch, Place

BATCH = Batch("shardId-000000000000", Place("2"), positions=("1", "2"), keys=(b"k", b"k"), values=(b"v", b"w"), size=4)


class Traced:
    """Spans as they are when all is exported."""

    def __init__(self, sample_ratio: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        self._export = Export("http://127.0.0.1:9", sample_ratio, "1.2.3", self._exporter)
        self.tracer = self._export.tracer("orders")

    async def spans(self) -> Sequence[ReadableSpan]:
        await self._export.leave()
        return self._exporter.get_finished_spans()


async def test_a_batch_is_a_span_with_its_stages_below() -> None:
    """Read, submit and deliver follow one another without a hole, and make up the batch."""
    traced = Traced()
    trace = traced.tracer.batch(BATCH.partition)
    trace.read(BATCH)
    trace.submitted()
    trace.settled()
    spans = {span.name: span for span in await traced.spans()}
    assert spans.keys() == {"batch", "read", "submit", "deliver"}
    batch = spans.pop("batch")
    assert dict(batch.attributes or {}) == {
        "kmbridge.mirror": "orders",
        "kmbridge.partition": BATCH.partition,
        "messaging.batch.message_count": 2,
        "kmbridge.bytes": 4,
    }
    assert all(span.parent is not None and span.parent.span_id == batch.context.span_id for span in spans.values())
    assert batch.start_time == spans["read"].start_time
    assert spans["read"].end_time == spans["submit"].start_time
    assert spans["submit"].end_time == spans["deliver"].start_time
    assert batch.resource.attributes["service.name"] == "kmbridge"


async def test_a_batch_without_records_is_no_trace() -> None:
    """Idle partitions are looked at all the time."""
    traced = Traced()
    trace = traced.tracer.batch("a")
    trace.read(Batch("a", Place("2")))
    trace.submitted()
    trace.settled()
    assert not await traced.spans()


async def test_a_batch_that_is_given_up_is_an_error() -> None:
    """With its cause, at the stage where it happened."""
    traced = Traced()
    trace = traced.tracer.batch("a")
    trace.read(BATCH)
    trace.submitted()
    trace.failed("no leader")
    found = {span.name: span.status for span in await traced.spans()}
    assert found["batch"].status_code is found["deliver"].status_code is StatusCode.ERROR
    assert found["batch"].description == "no leader"


async def test_a_commit_that_fails_is_an_error() -> None:
    """The error goes on to whoever commits."""
    traced = Traced()
    with pytest.raises(ValueError, match="broken"), traced.tracer.commit(4):
        raise ValueError("broken")
    (commit,) = await traced.spans()
    assert commit.status.status_code is StatusCode.ERROR


async def test_what_is_not_sampled_is_not_traced() -> None:
    """The ratio bounds what tracing costs."""
    traced = Traced(sample_ratio=0.0)
    trace = traced.tracer.batch("a")
    trace.read(BATCH)
    trace.settled()
    assert not await traced.spans()


async def test_without_the_section_nobody_follows_batches() -> None:
    """The engine is given the tracer that does nothing."""
    async with tracing(None, "1") as tracers:
        assert tracers("orders") is NO_TRACER


async def test_spans_reach_a_collector_over_http() -> None:
    """As OTLP, at the endpoint that is configured, before the process ends."""
    received = ExportTraceServiceRequest()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.MergeFromString(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            async with tracing(TraceSettings(f"http://127.0.0.1:{server.server_port}/v1/traces"), "1") as tracers:
                with tracers("orders").commit(7):
                    pass
        finally:
            await asyncio.to_thread(server.shutdown)
            thread.join()
    (spans,) = received.resource_spans
    assert [span.name for span in spans.scope_spans[0].spans] == ["commit"]


async def test_a_collector_that_is_away_stops_nothing() -> None:
    """What it does not take is dropped."""
    async with tracing(TraceSettings("http://127.0.0.1:9/v1/traces"), "1") as tracers:
        with tracers("orders").commit(7):
            pass


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is mirrored, and with the key that asks for it."""
    monkeypatch.delitem(sys.modules, "bridge.telemetry.traces.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UsageError, match=r"telemetry\.traces.*kmbridge\[otel\]"):
        check_installed()
