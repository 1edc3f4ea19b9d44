"""Ferrokinesis, a Kinesis server that keeps sequence numbers, reshards and limits as AWS does."""

from pathlib import Path

from tests.support.ports import HOST, free_port, is_listening
from tests.support.processes import ServerProcess
from tests.support.provision import ferrokinesis_binary

Flag = str | int | bool | Path

# Streams are there at once, and in plenty; a test of slow or scarce ones says so.
_FLAGS: dict[str, Flag] = {
    "create_stream_ms": 0,
    "delete_stream_ms": 0,
    "update_stream_ms": 0,
    "shard_limit": 10_000,
    "max_request_body_mb": 16,
    "log_level": "error",
}
# While one of its threads reads records, those that write wait with the thread they are on, and where all threads wait
# the reader never gets one: by default there are as many as cores.
_ENVIRONMENT = {"TOKIO_WORKER_THREADS": "32"}


class Ferrokinesis(ServerProcess):
    """A server with a port of its own, which it keeps from start to start.

    Its records survive a stop or a kill only with the flag ``state_dir``.
    """

    def __init__(self, folder: Path, binary: Path | None = None, /, **flags: Flag) -> None:
        """``flags`` are its command-line flags, underscores for dashes: ``iterator_ttl_seconds=1``."""
        self._port = free_port()
        command = [str(binary or ferrokinesis_binary()), "--port", str(self._port)]
        for name, value in (_FLAGS | flags).items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += [f"--{name.replace('_', '-')}", text]
        super().__init__(command, folder / "ferrokinesis.log", lambda: is_listening(self._port), _ENVIRONMENT)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._port}"
