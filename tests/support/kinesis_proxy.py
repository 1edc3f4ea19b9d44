"""An HTTP proxy before Kinesis, which counts what each shard is read and does harm on request.

Harm to PutRecords is of two kinds: its call has a ``Fault``, or some of its entries fail while the others pass. Events
of a subscription are passed on as they come, until it is cut.
"""

import asyncio
import json
import time
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import hdrs, web

from tests.support.loop_thread import LoopThread
from tests.support.ports import HOST

_TARGET = "X-Amz-Target"
_TYPE = "application/x-amz-json-1.1"
_LARGEST = 16 * 1024 * 1024
_OF_THIS_HOP = (hdrs.HOST, hdrs.CONNECTION, hdrs.CONTENT_LENGTH)


class Fault(Enum):
    """What befalls a call instead of an answer."""

    THROTTLED = "throttled"
    REFUSED = "refused"
    """Status 403, as for credentials that nobody knows."""
    DENIED = "denied"
    """As for a right that the caller's policy does not give."""
    FAILED = "failed"
    """Status 500."""
    CUT = "cut"
    """The connection ends before the call reaches the server."""
    CUT_ANSWER = "cut answer"
    """The server answers, and the connection ends in the middle of that."""
    SWALLOWED = "swallowed"
    """The server does what it is asked for, and the connection ends without a word of that."""
    FAILED_AFTER = "failed after"
    """The server does what it is asked for, and the answer is status 500."""


_AFTER = (Fault.CUT_ANSWER, Fault.SWALLOWED, Fault.FAILED_AFTER)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API. ``shard`` is known for those that name one or come with its iterator."""

    operation: str
    shard: str | None
    at: float
    """When it arrived, in seconds of the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Read:
    """One GetRecords of a shard."""

    at: float
    records: int
    size: int
    """Bytes of data and keys."""
    fault: Fault | None


Judge = Callable[[Call], Fault | None]

EntryJudge = Callable[[str], str | None]
"""The error code for an entry with this partition key, which then does not reach the server; None lets it pass."""

Put = tuple[str, bytes]
"""Partition key and data."""


class KinesisProxy:
    """Serves while entered, in a thread of its own. Set ``judge``, ``judge_entry`` and the times at any moment."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._shards: dict[str, str] = {}
        self._thread: LoopThread | None = None
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.reads: dict[str, list[Read]] = {}
        """Every GetRecords so far, by shard, in order."""
        self.calls: list[Call] = []
        self.swallowed: list[Put] = []
        """The entries of every PutRecords that the server took and whose answer nobody got."""
        self.judge: Judge = _spare
        self.judge_entry: EntryJudge = _pass
        self.delay_s = 0.0
        """How long every call is held before it is passed on."""
        self.cut_after_s: float | None = None
        """The age at which a subscription is cut, in the midst of an event."""
        self.cuts = 0
        """How many were."""

    def __enter__(self) -> Self:
        self._thread = LoopThread("kinesis proxy")
        self._thread.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.run(self._close())
            self._thread.close()

    @property
    def address(self) -> str:
        if self._runner is None:
            raise RuntimeError("the proxy is not entered")
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def _open(self) -> None:
        application = web.Application(client_max_size=_LARGEST)
        application.router.add_post("/", self._serve)
        self._session = aiohttp.ClientSession(self._upstream, connector=aiohttp.TCPConnector(limit=0))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        operation = request.headers[_TARGET].rpartition(".")[2]
        body = await request.read()
        asked: dict[str, Any] = json.loads(body)
        shard = asked.get("ShardId") or self._shards.get(asked.get("ShardIterator", ""))
        call = Call(operation, shard, at)
        self.calls.append(call)
        fault = self.judge(call)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if fault is not None and fault not in _AFTER:
            self._note(call, {}, fault)
            return _harm(request, fault)
        if operation == "SubscribeToShard":
            return await self._pass_on(request, body)
        if operation == "PutRecords":
            status, answer = await self._put(request, asked)
        else:
            status, answer = await self._forward(request, body)
        self._learn(call, status, answer, fault)
        if fault is None:
            return web.Response(status=status, body=answer, headers={hdrs.CONTENT_TYPE: _TYPE})
        if status == 200:
            self.swallowed += [(each["PartitionKey"], a2b_base64(each["Data"])) for each in asked.get("Records", ())]
        return await _half(request, answer) if fault is Fault.CUT_ANSWER else _harm(request, fault)

    async def _put(self, request: web.Request, asked: dict[str, Any]) -> tuple[int, bytes]:
        """PutRecords, without the entries that fail."""
        codes = [self.judge_entry(entry["PartitionKey"]) for entry in asked["Records"]]
        passing = [entry for entry, code in zip(asked["Records"], codes, strict=True) if code is None]
        results: Iterator[dict[str, Any]] = iter(())
        if passing:
            status, answer = await self._forward(request, json.dumps({**asked, "Records": passing}).encode())
            if status != 200 or len(passing) == len(codes):
                return status, answer
            results = iter(json.loads(answer)["Records"])
        merged = [next(results) if code is None else {"ErrorCode": code, "ErrorMessage": code} for code in codes]
        failed = sum("ErrorCode" in result for result in merged)
        return 200, json.dumps({"FailedRecordCount": failed, "Records": merged}).encode()

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            raise RuntimeError("the proxy is not entered")
        async with self._session.post("/", data=BytesIO(body), headers=_passed(request)) as answer:
            return answer.status, await answer.read()

    async def _pass_on(self, request: web.Request, body: bytes) -> web.StreamResponse:
        if self._session is None:
            raise RuntimeError("the proxy is not entered")
        began, headers = time.monotonic(), _passed(request)
        async with self._session.post("/", data=BytesIO(body), headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers={hdrs.CONTENT_TYPE: answer.content_type})
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                if request.transport is None:
                    break
                if self.cut_after_s is not None and time.monotonic() - began > self.cut_after_s:
                    await response.write(chunk[: len(chunk) // 2])
                    self.cuts += 1
                    request.transport.abort()
                    break
                await response.write(chunk)
        return response

    def _learn(self, call: Call, status: int, answer: bytes, fault: Fault | None) -> None:
        """Follow a shard's iterators, and count what it was read."""
        if status != 200 or call.operation not in ("GetShardIterator", "GetRecords"):
            return
        told: dict[str, Any] = json.loads(answer)
        following = told.get("ShardIterator") or told.get("NextShardIterator")
        if following and call.shard is not None:
            self._shards[following] = call.shard
        self._note(call, told, fault)

    def _note(self, call: Call, told: dict[str, Any], fault: Fault | None) -> None:
        if call.operation != "GetRecords" or call.shard is None:
            return
        records = told.get("Records", [])
        size = sum(len(a2b_base64(record["Data"])) + len(record["PartitionKey"].encode()) for record in records)
        self.reads.setdefault(call.shard, []).append(Read(call.at, len(records), size, fault))


def most_reads(reads: list[Read], window_s: float) -> int:
    """The largest number of ``reads`` within any ``window_s`` seconds."""
    times = [read.at for read in reads]
    return max((sum(first <= time < first + window_s for time in times) for first in times), default=0)


def _passed(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name not in _OF_THIS_HOP}


def _spare(_: Call) -> Fault | None:
    """Harms nobody."""
    return None


def _pass(_: str) -> str | None:
    """Condemns no entry."""
    return None


def _harm(request: web.Request, fault: Fault) -> web.Response:
    if fault is Fault.THROTTLED:
        problem = {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded for shard"}
        return web.Response(status=400, text=json.dumps(problem), content_type=_TYPE)
    if fault is Fault.REFUSED:
        problem = {"__type": "UnrecognizedClientException", "message": "The security token is invalid."}
        return web.Response(status=403, text=json.dumps(problem), content_type=_TYPE)
    if fault is Fault.DENIED:
        problem = {"__type": "AccessDeniedException", "message": "User is not authorized to perform this action"}
        return web.Response(status=400, text=json.dumps(problem), content_type=_TYPE)
    if fault in (Fault.CUT, Fault.SWALLOWED) and request.transport is not None:
        request.transport.abort()
    return web.Response(status=500, text=json.dumps({"__type": "InternalFailure"}), content_type=_TYPE)


async def _half(request: web.Request, answer: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: _TYPE, hdrs.CONTENT_LENGTH: str(len(answer))})
    await response.prepare(request)
    await response.write(answer[: len(answer) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response
