"""The question that a container's engine asks again and again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support.ports import HOST, free_port


@contextmanager
def _answering(status: int, body: bytes) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer((HOST, 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/healthz"
        finally:
            server.shutdown()
            thread.join()


def _ask(url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "bridge.cli.healthcheck"],
        env=os.environ | {"KMBRIDGE_HEALTHCHECK": url, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("status", "code", "told"), [(200, 0, ""), (503, 1, "orders: worker 1 has not reported for 40 s")]
)
def test_the_exit_code_is_what_healthz_answers(status: int, code: int, told: str) -> None:
    """0 for 200, 1 for everything else, which it repeats so that the engine's log has it."""
    with _answering(status, told.encode()) as url:
        done = _ask(url)
    assert (done.returncode, done.stderr.strip()) == (code, told)


def test_nobody_there_is_not_well() -> None:
    """One line that names the address, no traceback."""
    url = f"http://{HOST}:{free_port()}/healthz"
    done = _ask(url)
    assert done.returncode == 1
    assert done.stderr.startswith(url)
    assert len(done.stderr.splitlines()) == 1


def test_it_goes_past_the_proxy_that_leads_to_aws() -> None:
    """A proxy in the environment is not asked about this machine."""
    with _answering(200, b"") as url:
        assert _ask(url, http_proxy=f"http://{HOST}:{free_port()}").returncode == 0
