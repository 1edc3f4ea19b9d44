"""Where a process is asked, and who may ask."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from pydantic import SecretStr

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for by others, not here


@dataclass(frozen=True, slots=True)
class Listener:
    """What the keys of ``http`` say, checked."""

    host: str
    port: int
    """0 takes a free one."""
    token: SecretStr | None = None
    """What a request has to bring; None: nothing."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def from_here(self) -> str | None:
        """The URL at which this machine reaches it; None where only the process itself knows its port."""
        here = Listener(_EVERYWHERE.get(self.host, self.host), self.port)
        return None if self.port == 0 else here.address(self.port)

    def address(self, port: int) -> str:
        """Its URL, once ``port`` is what it has."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}"


def pages(address: str | None) -> Mapping[str, str]:
    """Where who serves at ``address`` tells what, for a line of the log; nothing where nobody serves."""
    return {} if address is None else {"status": f"{address}/status", "metrics": f"{address}/metrics"}


def is_sendable(token: str) -> bool:
    """Whether a header can carry it: visible characters of ASCII, without spaces."""
    return re.fullmatch(r"[!-~]+", token) is not None


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine and nothing else, whatever a name server says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
