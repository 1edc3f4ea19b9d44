"""Ports for servers of this machine."""

import random
import socket

HOST = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections: a stopped server finds its port free again.
_PORTS = range(20_000, 32_000)
_ATTEMPTS = 200


def free_port() -> int:
    """A port nobody listens on. It is drawn at random, so that parallel test processes hardly ever meet."""
    draw = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        port = draw.choice(_PORTS)
        if not is_listening(port):
            return port
    raise RuntimeError(f"no free port between {_PORTS.start} and {_PORTS.stop}")


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
