"""Calls over HTTP: signed with the credentials of the moment, answers and refusals understood."""

import re
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from connectors.base import Clock, Observer, RefusedError, TransientError, UnreachableError
from connectors.kinesis.answers import DESCRIBE_STREAM_SUMMARY, GET_RECORDS
from connectors.kinesis.client import Connection, connect
from connectors.kinesis.faults import CredentialsError, StaleIteratorError, ThrottledError
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.server_time import ServerTime
from connectors.kinesis.settings import KinesisSourceSettings
from connectors.kinesis.stream import StreamName
from tests.support.ports import HOST, free_port
from tests.support.serving import serving

_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
_SUMMARY = {
    "StreamDescriptionSummary": {
        "StreamName": "orders",
        "StreamARN": _ARN,
        "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1.7e9,
    }
}


def _to(url: str, stream: str = "orders") -> Connection:
    return Connection(StreamName.of(stream), "eu-west-1", url, None)


def _access_key(request: web.Request) -> str:
    found = re.search(r"Credential=([^/]+)/\d{8}/eu-west-1/kinesis/aws4_request", request.headers["Authorization"])
    assert found is not None
    return found[1]


def _refusal(code: str, status: int = 400) -> web.Response:
    return web.json_response({"__type": f"com.amazonaws.kinesis#{code}", "message": "as told"}, status=status)


async def test_a_call_is_signed_and_its_answer_typed() -> None:
    """The server's Date is the time of the answer, and decides what now is."""

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.headers["X-Amz-Target"] == "Kinesis_20131202.DescribeStreamSummary"
        assert _access_key(request) == "test"
        assert await request.json() == {"StreamName": "orders", "StreamARN": _ARN}
        return web.json_response(_SUMMARY, headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})

    async with serving(handler) as url, connect(_to(url, _ARN), Clock()) as caller:
        answer = await caller.call("DescribeStreamSummary", StreamName.of(_ARN).parameters(), DESCRIBE_STREAM_SUMMARY)
        assert answer.value.stream_description_summary.stream_arn == _ARN
        assert answer.server_ms == 1_767_225_600_000
        assert 0 <= caller.server_now_ms() - answer.server_ms < 60_000


@pytest.mark.parametrize(
    "header",
    [
        "",
        "now",
        "Thu, 32 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 -0000",
        "Thu, 01 Jan 99999999999 0:0:0 GMT",
    ],
)
def test_a_date_that_tells_no_time_is_no_date(header: str) -> None:
    """Malformed, impossible or without a zone: the time goes on from the last answer that told it."""
    time = ServerTime(Clock())
    assert abs(time.seen(header) - Clock().now_ms()) < 60_000
    told_ms = time.seen("Thu, 01 Jan 2026 00:00:00 GMT")
    assert 0 <= time.seen(header) - told_ms < 60_000
    assert 0 <= time.now_ms() - told_ms < 60_000


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ProvisionedThroughputExceededException", 400, ThrottledError),
        ("ExpiredIteratorException", 400, StaleIteratorError),
        ("InternalFailure", 500, TransientError),
        ("KMSDisabledException", 400, RefusedError),
        ("SomethingNew", 400, RefusedError),
    ],
)
async def test_a_refusal_becomes_the_error_that_says_what_to_do(code: str, status: int, kind: type[Exception]) -> None:
    """Error codes are understood with or without the prefix that some endpoints give them."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return _refusal(code, status)

    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        with pytest.raises(kind, match=f"{code}: as told"):
            await caller.call("GetRecords", {"ShardIterator": "i"}, GET_RECORDS)


async def test_a_long_answer_is_read_piece_by_piece() -> None:
    """To its end, which is no bytes at all; one that ends in the midst of a piece is a fault that may pass."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b"ab", b"cde", b"f"):
            await response.write(piece)
        return response

    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        async with caller.stream("SubscribeToShard", {}) as answer:
            assert [await answer.exactly(size) for size in (3, 3, 3)] == [b"abc", b"def", b""]
        async with caller.stream("SubscribeToShard", {}) as answer:
            assert await answer.exactly(5) == b"abcde"
            with pytest.raises(TransientError):
                await answer.exactly(2)


async def test_a_long_answer_that_is_refused_raises_what_a_short_one_does() -> None:
    """Before there is anything to read."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return _refusal("LimitExceededException")

    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        with pytest.raises(ThrottledError, match="as told"):
            async with caller.stream("SubscribeToShard", {}):
                pass


async def test_an_answer_without_a_body_is_understood_by_its_status() -> None:
    """A gateway's 502 with a page of HTML is a passing fault."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")

    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        with pytest.raises(TransientError, match="HTTP 502"):
            await caller.call("GetRecords", {"ShardIterator": "i"}, GET_RECORDS)


async def test_something_else_than_kinesis_is_told_apart() -> None:
    """A web page in place of an answer says that the endpoint is wrong."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>hello</html>", content_type="text/html")

    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        with pytest.raises(TransientError, match="not an answer of Kinesis") as told:
            await caller.call("GetRecords", {"ShardIterator": "i"}, GET_RECORDS)
    assert "endpoint_url" in told.value.hint


@pytest.mark.parametrize("text", ["", "<html>not found</html>", '{"error": "no such page"}'])
async def test_a_refusal_that_is_not_in_the_words_of_kinesis_is_told_apart(text: str) -> None:
    """Another server's 404 sends people to the address."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text=text)

    async with serving(handler) as url:
        with pytest.raises(RefusedError, match="HTTP 404") as told:
            await _enter(KinesisSourceSettings("orders", "eu-west-1", url))
    assert told.value.hint == "check endpoint_url: it does not answer like Kinesis"


async def test_a_connection_that_breaks_is_a_passing_fault() -> None:
    """No answer, no exception of the HTTP library."""

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        with pytest.raises(TransientError):
            await caller.call("GetRecords", {"ShardIterator": "i"}, GET_RECORDS)


async def test_credentials_that_change_in_mid_run_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server calls the keys expired, new ones from the same file are used, and the caller hears nothing."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    seen: list[str] = []

    def write(key: str) -> None:
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\n")

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(_access_key(request))
        return web.json_response(_SUMMARY) if seen[-1] == "new" else _refusal("ExpiredTokenException")

    write("old")
    async with serving(handler) as url, connect(_to(url), Clock()) as caller:
        with pytest.raises(CredentialsError):
            await caller.call("DescribeStreamSummary", {}, DESCRIBE_STREAM_SUMMARY)
        write("new")
        await caller.call("DescribeStreamSummary", {}, DESCRIBE_STREAM_SUMMARY)
        await caller.call("DescribeStreamSummary", {}, DESCRIBE_STREAM_SUMMARY)
    assert seen == ["old", "old", "new", "new"]


async def test_a_role_is_assumed(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests carry the keys and the token of the role."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    tokens: list[str | None] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert _access_key(request).startswith("ASIA")
        tokens.append(request.headers.get("X-Amz-Security-Token"))
        return web.json_response(_SUMMARY)

    async with serving(handler) as url:
        connection = Connection(StreamName("orders"), "eu-west-1", url, "arn:aws:iam::123456789012:role/reader")
        async with connect(connection, Clock()) as caller:
            await caller.call("DescribeStreamSummary", {}, DESCRIBE_STREAM_SUMMARY)
    assert all(tokens)


async def _enter(settings: KinesisSourceSettings) -> None:
    async with KinesisSource(settings, Clock(), Random(1), Observer()):
        pass


async def test_a_host_where_nobody_listens_is_unreachable() -> None:
    """The message has the address and the cause."""
    url = f"http://{HOST}:{free_port()}"
    with pytest.raises(UnreachableError, match=url):
        await _enter(KinesisSourceSettings("orders", "eu-west-1", url))


async def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any keys the message says where they could come from."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(RefusedError, match="AWS_ACCESS_KEY_ID"):
        await _enter(KinesisSourceSettings("orders", "eu-west-1", "http://localhost:1"))


async def test_a_missing_profile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_PROFILE that names nothing is a mistake with a name."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(RefusedError, match="nobody"):
        await _enter(KinesisSourceSettings("orders", "eu-west-1", "http://localhost:1"))


async def test_a_missing_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor environment name a region."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(RefusedError, match="region"):
        await _enter(KinesisSourceSettings("orders"))


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
async def test_the_environment_may_name_the_region(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """By either variable, as AWS's tools and its containers have it."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(variable, "eu-north-1")
    connection = Connection(StreamName.of("orders"), None, None, None)
    async with connect(connection, Clock()) as caller:
        assert caller.target.endswith(" in eu-north-1")


async def test_an_arn_of_another_region_is_told() -> None:
    """The client's region decides where calls go, so a contradiction is an error."""
    with pytest.raises(RefusedError, match="the ARN says eu-west-1"):
        await _enter(KinesisSourceSettings(_ARN, "us-east-1"))


async def test_an_arn_of_something_else_is_told() -> None:
    """A topic's ARN is no stream's."""
    with pytest.raises(RefusedError, match="not the ARN of a stream"):
        await _enter(KinesisSourceSettings("arn:aws:sns:eu-west-1:123456789012:orders"))
