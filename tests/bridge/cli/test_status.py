import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from bridge.cli.status_display import Seen, screen
from bridge.cli.status_picture import picture
from bridge.engine.status import LaneState, MirrorState
from bridge.telemetry.http import TelemetryServer
from bridge.telemetry.listener import Listener
from bridge.telemetry.overview import Overview
from bridge.telemetry.told import Told, told
from tests.bridge.cli.called import call
from tests.bridge.telemetry.page.busy_mirror import BusyMirror
from tests.support.command import COMMAND
from tests.support.loop_thread import LoopThread
from tests.support.ports import HOST, free_port

TOKEN = "correct-horse"
CONFIG = """\
name: orders
source: {{kinesis: {{stream: orders, region: eu-west-1}}}}
sink: {{kafka: {{bootstrap_servers: [b-1:9098], topic: orders}}}}
http: {{listen: '{listen}', token: {token}}}
"""


@pytest.fixture
def busy() -> BusyMirror:
    return BusyMirror(30)


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread("served")
    yield thread
    thread.close()


@pytest.fixture
def address(busy: BusyMirror, loop: LoopThread) -> Iterator[str]:
    """Where ``busy`` answers, and asks for a token."""
    server = TelemetryServer(Listener(HOST, 0, SecretStr(TOKEN)), [busy.observed], "1.2.3")
    loop.run(server.__aenter__())
    yield f"http://{HOST}:{server.port}"
    loop.run(server.__aexit__(None, None, None))


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMBRIDGE_HTTP_TOKEN", TOKEN)


def seen_of(busy: BusyMirror) -> Told:
    return told(json.loads(json.dumps(Overview([busy.observed], [], "1.2.3", 0).status())))


def test_a_running_mirror_is_shown_to_a_pipe_as_lines(
    capsys: pytest.CaptureFixture[str], address: str, busy: BusyMirror
) -> None:
    """A table of the mirrors and one of all lanes, those first that need someone, in full."""
    busy.lanes[7] = replace(busy.lanes[7], state=LaneState.RETRYING, error="reset", lag_ms=90_000)
    called = call(capsys, "status", address)
    mirrors, lanes = (part.splitlines() for part in called.out.split("\n\n"))
    assert called.code == 0
    assert mirrors[1].split("\t")[:5] == ["orders", "running", "0.0", "90s", "435"]
    assert len(lanes) == 1 + 30
    first = lanes[1].split("\t")
    assert first[:4] == ["orders", busy.lanes[7].partition, "retrying", "90s"]
    assert first[-2:] == [busy.lanes[7].position, "reset"]


def test_a_configuration_says_where_and_has_the_token(
    capsys: pytest.CaptureFixture[str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is for those who have no more than a URL."""
    monkeypatch.delenv("KMBRIDGE_HTTP_TOKEN")
    file = tmp_path / "orders.yaml"
    file.write_text(CONFIG.format(listen=address.removeprefix("http://"), token=TOKEN))
    called = call(capsys, "status", file, "--json")
    assert called.code == 0
    assert json.loads(called.out)["name"] == "orders"


def test_a_token_of_another_variable_is_taken_by_its_name(
    capsys: pytest.CaptureFixture[str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No option takes the token itself, for arguments are seen by all users of a machine."""
    monkeypatch.setenv("KMBRIDGE_HTTP_TOKEN", "another")
    monkeypatch.setenv("ORDERS_TOKEN", TOKEN)
    assert call(capsys, "status", address).code == 3
    assert call(capsys, "status", address, "--token-env", "ORDERS_TOKEN").code == 0


@pytest.mark.parametrize(
    ("state", "lane", "code"),
    [
        (MirrorState.RUNNING, LaneState.RUNNING, 0),
        (MirrorState.RUNNING, LaneState.RETRYING, 0),
        (MirrorState.STARTING, LaneState.WAITING, 0),
        (MirrorState.RUNNING, LaneState.HELD, 1),
        (MirrorState.RUNNING, LaneState.FAILED, 1),
        (MirrorState.FAILED, LaneState.RUNNING, 1),
    ],
)
def test_the_exit_code_says_whether_someone_is_needed(
    capsys: pytest.CaptureFixture[str], address: str, busy: BusyMirror, state: MirrorState, lane: LaneState, code: int
) -> None:
    """What goes on by itself is no failure, and what waits for a person is one."""
    busy.state = state
    busy.lanes[3] = replace(busy.lanes[3], state=lane)
    assert call(capsys, "status", address).code == code


def test_where_nobody_answers_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code of an endpoint that cannot be reached."""
    called = call(capsys, "status", f"http://{HOST}:{free_port()}")
    assert called.code == 3
    assert "connection refused\nhint: is the mirror running" in called.err


@pytest.mark.parametrize("token", ["s3cr3t\n", "s3 cr3t", "s3cr3\u0165"])
def test_a_token_that_no_header_can_carry_is_told_and_not_repeated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, address: str, token: str
) -> None:
    """As one out of a file, with the end of its line."""
    monkeypatch.setenv("KMBRIDGE_HTTP_TOKEN", token)
    called = call(capsys, "status", address)
    assert (called.code, "KMBRIDGE_HTTP_TOKEN" in called.err, "s3" in called.err) == (2, True, False)


def test_a_refused_token_is_not_repeated(
    capsys: pytest.CaptureFixture[str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be one digit away from the right one."""
    monkeypatch.setenv("KMBRIDGE_HTTP_TOKEN", "correct-hoarse")
    called = call(capsys, "status", address)
    assert called.code == 3
    assert "http.token" in called.err
    assert "hoarse" not in called.out + called.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("http://a:1", "http://b:2"),
        ("nowhere.yaml",),
        ("CONFIG", "--set", "http=null"),
        ("CONFIG", "--set", "http.listen=127.0.0.1:0"),
    ],
)
def test_what_names_no_place_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Said before anybody is asked."""
    file = tmp_path / "orders.yaml"
    file.write_text(CONFIG.format(listen="127.0.0.1:8080", token=TOKEN))
    assert call(capsys, "status", *(str(file) if each == "CONFIG" else each for each in arguments)).code == 2


def test_an_open_address_is_asked_on_this_machine(
    capsys: pytest.CaptureFixture[str], address: str, tmp_path: Path
) -> None:
    """0.0.0.0 says who may ask, not where."""
    file = tmp_path / "orders.yaml"
    file.write_text(CONFIG.format(listen=f"0.0.0.0:{address.rpartition(':')[2]}", token=TOKEN))
    assert call(capsys, "status", file).code == 0


def test_one_of_several_mirrors_is_shown_by_its_name(capsys: pytest.CaptureFixture[str], loop: LoopThread) -> None:
    """Alone, with an exit code of its own; why another one failed stands beside that one."""
    orders, bills = BusyMirror(2), BusyMirror(2, "bills")
    bills.state = MirrorState.FAILED
    failed = replace(bills.observed, status=lambda: replace(bills.status(), error="no such topic"))
    server = TelemetryServer(Listener(HOST, 0), [orders.observed, failed], "1")
    loop.run(server.__aenter__())
    try:
        where = ("status", f"http://{HOST}:{server.port}")
        both, one = call(capsys, *where), call(capsys, *where, "--name", "orders")
        document = call(capsys, *where, "--name", "orders", "--json")
        unknown = call(capsys, *where, "--name", "order")
    finally:
        loop.run(server.__aexit__(None, None, None))
    assert (both.code, one.code, document.code, unknown.code) == (1, 0, 0, 3)
    assert both.out.splitlines()[2].split("\t")[::11] == ["bills", "no such topic"]
    assert "bills" not in one.out + document.out
    assert "--name is one of orders, bills" in unknown.err


def test_a_picture_has_all_that_matters_in_the_height_of_a_terminal(busy: BusyMirror) -> None:
    """What needs someone is never cut off."""
    busy.hold(29, "access denied [add kinesis:GetRecords]")
    step = {"name": "finished", "title": "the old side is left", "state": "next"}
    busy.cutover = {"steps": [step], "told": "", "is_finished": False}
    text = StringIO()
    Console(file=text, width=160, markup=False).print(picture(seen_of(busy), height=20))
    lines = text.getvalue().splitlines()
    assert len(lines) <= 20
    assert busy.observed.source in lines[1]
    assert "29 running" in text.getvalue()
    assert "next: the old side is left" in lines[4]
    assert "shardId-000000000029" in lines[7]
    assert "denied [add" in lines[7]
    assert "more lanes" in lines[-1]


def test_a_narrow_terminal_still_tells_the_lanes_apart(busy: BusyMirror) -> None:
    """Partition, state, lag and the beginning of what is wrong are whole in 80 columns; what tells less is left out."""
    busy.hold(29, "access denied [add kinesis:GetRecords]")
    text = StringIO()
    Console(file=text, width=80, markup=False).print(picture(seen_of(busy), height=20))
    lanes = [line for line in text.getvalue().splitlines() if line.startswith("shardId")]
    assert len({line.split()[0] for line in lanes}) == len(lanes)
    assert lanes[0].startswith("shardId-000000000029  held ")
    assert "access denied [add" in lanes[0]
    assert max(map(len, text.getvalue().splitlines())) <= 80


def test_a_screen_goes_on_with_the_last_picture_while_nobody_answers(busy: BusyMirror) -> None:
    """And says since when."""
    text = StringIO()
    terminal = Console(file=text, width=120, height=24, force_terminal=True, markup=False)
    with screen(terminal) as shown:
        shown.show(Seen({}, seen_of(busy), trouble="no answer since 12:00:00: refused"))
    assert "no answer since 12:00:00: refused" in text.getvalue()
    assert "orders" in text.getvalue()


def test_watching_ends_well_when_it_is_told_to(address: str) -> None:
    """A line of JSON a look where it is no terminal, until a signal."""
    command = [*COMMAND, "status", address, "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert watching.stdout is not None
            assert json.loads(watching.stdout.readline())["name"] == "orders"
            watching.send_signal(signal.SIGTERM)
            assert watching.wait(30) == 0
        finally:
            watching.kill()


def test_an_earlier_version_s_status_is_understood() -> None:
    """It tells less, and what a later one tells besides is passed over."""
    found = told(
        {"name": "a", "version": "0.1.0", "state": "running", "lanes": [{"partition": "0", "state": "new", "x": 1}]}
    )
    assert (found.mirrors[0].lanes[0].state, found.mirrors[0].lag_seconds) == ("new", 0.0)
    with pytest.raises(ValueError, match="no mirror"):
        told({"error": "not found"})
    with pytest.raises(ValueError, match="version"):
        told({"mirrors": [{"name": "a"}]})
