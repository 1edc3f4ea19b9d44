"""Mistakes as an operator makes them: one clear message, the right exit code, in bounded time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.checker import check_exact
from tests.support.command import Finished, run_command
from tests.support.kinesis_proxy import Fault, KinesisProxy
from tests.support.ports import HOST, free_port
from tests.support.records import generate, ids_by_key
from tests.support.route import Route, RouteFactory

FAILED, WRONG_USAGE, ENDPOINT = 1, 2, 3
PATIENCE_S = 30


def judge(finished: Finished, code: int, *named: str) -> None:
    """One message that names what it is about, no traceback, in time."""
    assert finished.code == code, finished.err
    assert finished.err.count("error: ") == 1, finished.err
    assert "Traceback" not in finished.err
    for text in named:
        assert text in finished.err
    assert finished.seconds < PATIENCE_S


async def _run(path: Route, *options: str, **environment: str | None) -> Finished:
    return await run_command("run", path.mirror().config, *options, environment=environment)


async def test_nobody_listens_at_the_kinesis_endpoint(route: RouteFactory) -> None:
    """The message names the address."""
    nowhere = f"http://{HOST}:{free_port()}"
    judge(await _run(route().via(kinesis=nowhere)), ENDPOINT, nowhere)


async def test_nobody_listens_at_the_broker(route: RouteFactory) -> None:
    """The message names the address."""
    nowhere = f"{HOST}:{free_port()}"
    judge(await _run(route().via(kafka=nowhere)), ENDPOINT, nowhere)


async def test_nobody_listens_where_the_checkpoints_are_to_be(route: RouteFactory) -> None:
    """The message says why, and not only that time has passed."""
    nowhere = f"{HOST}:{free_port()}"
    judge(await _run(route().via(kafka=nowhere), "--set", "checkpoints=auto"), ENDPOINT, nowhere, "Connection refused")


async def test_the_stream_does_not_exist(route: RouteFactory) -> None:
    """The message names it, and where it was looked for."""
    path = route()
    judge(await _run(path, "--set", "source.kinesis.stream=no-such"), ENDPOINT, "no-such", path.kinesis)


async def test_the_topic_does_not_exist(route: RouteFactory) -> None:
    """The message names it, and how to have it made."""
    judge(await _run(route(), "--set", "sink.kafka.topic=no-such"), ENDPOINT, "no-such", "create_topic")


async def test_there_is_no_region(route: RouteFactory) -> None:
    """Neither in the configuration nor in the environment: the message says where to give one."""
    finished = await _run(route(), "--set", "source.kinesis.region=null", AWS_DEFAULT_REGION=None, AWS_REGION=None)
    judge(finished, WRONG_USAGE, "region")


async def test_there_are_no_credentials(route: RouteFactory) -> None:
    """The message says so."""
    finished = await _run(route(), AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    judge(finished, ENDPOINT, "credentials")


async def test_the_credentials_are_not_accepted(route: RouteFactory, kinesis: str) -> None:
    """The message repeats the server's reason."""
    with KinesisProxy(kinesis) as proxy:
        proxy.judge = lambda _: Fault.REFUSED
        judge(await _run(route().via(kinesis=proxy.address)), ENDPOINT, "The security token is invalid")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: [orders\nsource: {}\n", ("line", "orders.yaml")),
        ("name: orders\nsurce: {}\n", ("surce", "orders.yaml", "2")),
        ("just text", ("orders.yaml",)),
    ],
    ids=["not YAML", "unknown key", "no mapping"],
)
async def test_the_configuration_is_malformed(tmp_path: Path, text: str, named: tuple[str, ...]) -> None:
    """The message names the file and the place in it."""
    config = tmp_path / "orders.yaml"
    config.write_text(text)
    finished = await run_command("run", config)
    assert finished.code == WRONG_USAGE
    assert "Traceback" not in finished.err
    for each in named:
        assert each in finished.err
    assert finished.seconds < PATIENCE_S


async def test_the_configuration_does_not_exist(tmp_path: Path) -> None:
    """The message names the file that was looked for."""
    judge(await run_command("run", tmp_path / "none.yaml"), WRONG_USAGE, "none.yaml")


async def test_two_mirrors_want_the_same_checkpoints_or_port(route: RouteFactory, seed: int) -> None:
    """The second is refused, with what it would have taken; the first goes on undisturbed."""
    path = route()
    sent = list(generate(2_000, 50, seed=seed))
    async with path.mirror() as mirror:
        elsewhere = f"http.listen={HOST}:{free_port()}"
        judge(await _again(mirror.config, elsewhere), FAILED, str(mirror.database))
        taken = mirror.url.removeprefix("http://")
        other = f"checkpoints.sqlite.path={path.folder / 'other.db'}"
        judge(await _again(mirror.config, other), WRONG_USAGE, "http.listen", taken)
        await path.write(sent)
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.long
@pytest.mark.parametrize("side", ["kinesis", "kafka"])
async def test_an_endpoint_that_never_answers_is_given_up(route: RouteFactory, side: str) -> None:
    """It takes the connection and says nothing: the mirror says so within 30 seconds."""
    with _mute() as address:
        scheme = "http://" if side == "kinesis" else ""
        judge(await _run(route().via(**{side: scheme + address})), ENDPOINT, address)


async def _again(config: Path, setting: str) -> Finished:
    return await run_command("run", config, "--set", setting)


@contextmanager
def _mute() -> Iterator[str]:
    """Accepts connections and never says a word."""
    with socket.create_server((HOST, 0), backlog=100) as server:
        yield f"{HOST}:{server.getsockname()[1]}"
