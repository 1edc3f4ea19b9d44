"""A real browser without a window, driven through its own debugging protocol."""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.provision import CHROMIUM
from tests.support.waiting import wait_until

_FLAGS = (
    "--headless",
    "--hide-scrollbars",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_LARGEST_ANSWER = 64 * 2**20
_START_TIMEOUT_S = 30
_END_TIMEOUT_S = 10

Answer = Mapping[str, Any]


class ScriptError(Exception):
    """What was evaluated in the page threw."""


class Tab:
    """One page. What it says and asks for is kept from the moment that the tab is made."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self.complaints: list[str] = []
        """Errors and warnings of the console, what scripts threw, and violations of the page's policy."""
        self.requested: list[str] = []
        """The URL of every request."""

    async def listen(self) -> None:
        """Take what the browser tells, until it closes the tab."""
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                self._note(told["method"], told["params"])

    async def call(self, method: str, **parameters: object) -> Answer:
        """The result of a command of the protocol."""
        number = id(answer := asyncio.get_running_loop().create_future()) % 2**31
        self._answers[number] = answer
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        told = await answer
        if "error" in told:
            raise ScriptError(f"{method}: {told['error']['message']}")
        result: Answer = told["result"]
        return result

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, a promise's once it is kept. Raises ``ScriptError``."""
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise ScriptError(str(told["exceptionDetails"].get("exception", {}).get("description", told)))
        return told["result"].get("value")

    async def until(self, script: str, timeout_s: float = 30) -> None:
        """Wait until an expression is true in the page."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not await self._holds(script):
            if asyncio.get_running_loop().time() > deadline:
                text = await self.evaluate("document.body.innerText.slice(0, 2000)")
                raise TimeoutError(f"{script}: not within {timeout_s:g} s; {self.complaints}; the page says: {text}")
            await asyncio.sleep(0.05)

    async def press(self, key: str, text: str = "") -> None:
        """A key, as a person presses it."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "End": 35, "Home": 36, "PageDown": 34, " ": 32}
        code = codes.get(key, ord(key.upper()) if len(key) == 1 else 0)
        typed = {"text": text or ("\r" if key == "Enter" else key)} if len(key) == 1 or key == "Enter" else {}
        common: dict[str, object] = {"key": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **common, **typed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def type(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def scheme(self, name: str) -> None:
        """``dark`` or ``light``, as the person's system has it."""
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    async def size(self, width: int, height: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def _holds(self, script: str) -> bool:
        with suppress(ScriptError):  # while a page is being left
            return bool(await self.evaluate(script))
        return False

    def _note(self, method: str, told: Mapping[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(told["args"]))


class Browser:
    """A running one. Its tabs are of one profile, which is gone with it."""

    def __init__(self, address: str) -> None:
        self._address = address

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """An empty page, closed on leaving."""
        async with aiohttp.ClientSession(self._address) as session:
            async with session.put("/json/new?about:blank") as response:
                target = json.loads(await response.text())
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=_LARGEST_ANSWER) as socket:
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                try:
                    for domain in ("Page", "Runtime", "Network", "Log"):
                        await tab.call(f"{domain}.enable")
                    # Keys go to the page though the window is none, and others are open.
                    await tab.call("Emulation.setFocusEmulationEnabled", enabled=True)
                    await tab.size(1360, 900)
                    yield tab
                finally:
                    listening.cancel()
                    await asyncio.wait([listening])
            async with session.get(f"/json/close/{target['id']}"):
                pass


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser for as long as the context lasts. Raises ``MissingServerError`` where there is none to be had."""
    program = CHROMIUM.locate()
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *_FLAGS, *as_root, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = Path(profile) / "DevToolsActivePort"
            wait_until(lambda: port.exists() and "\n" in port.read_text(), "the browser listens", _START_TIMEOUT_S)
            yield Browser(f"http://127.0.0.1:{port.read_text().splitlines()[0]}")
        finally:
            process.terminate()
            try:
                process.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
