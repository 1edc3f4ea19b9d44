"""A Kinesis server that sends to subscribers at once, as AWS does.

Ferrokinesis looks for news of a subscription five times a second, which would be all that is measured: this is built
from its own sources with ``pushing.patch``, and looks five hundred times a second. In nothing else it is another.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ferrokinesis import Ferrokinesis
from tests.support.provision import FERROKINESIS, FERROKINESIS_VERSION, MissingServerError, Program, run

_NAME = f"ferrokinesis-{FERROKINESIS_VERSION}"
_PATCH = Path(__file__).with_name("pushing.patch")


def _build(folder: Path) -> None:
    FERROKINESIS.provide()
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / _NAME
        shutil.copytree(_sources(), source)
        # Of its authors' toolchain; it builds with any that is new enough.
        (source / "rust-toolchain.toml").unlink(missing_ok=True)
        run("patch", "--strip=1", f"--directory={source}", f"--input={_PATCH}")
        run("cargo", "install", "--path", str(source), "--locked", "--root", str(folder))


def _sources() -> Path:
    """Where cargo keeps what it has built of. Raises ``MissingServerError`` where it does not."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    found = next(home.glob(f"registry/src/*/{_NAME}"), None)
    if found is None:
        raise MissingServerError(f"no sources of {_NAME} under {home}: cargo install ferrokinesis fetches them")
    return found


_PUSHING = Program(
    title="Kinesis server that sends at once",
    folder=f"{_NAME}-pushing",
    tools=("cargo", "patch"),
    build=_build,
    hint="install Rust's cargo and patch",
)


@contextmanager
def pushing_kinesis() -> Iterator[str]:
    """Its ``http://host:port``, while entered. Raises ``MissingServerError`` where it cannot be had."""
    if not _PUSHING.is_there:
        print(f"building a {_PUSHING.title}, once a machine (minutes)", flush=True)
        _PUSHING.provide()
    with (
        tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as folder,
        Ferrokinesis(Path(folder), _PUSHING.locate() / "bin" / "ferrokinesis") as server,
    ):
        yield server.address
