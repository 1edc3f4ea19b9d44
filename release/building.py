"""Wheel and sdist, built by the locked tools; from one source they come out the same, byte by byte."""

import hashlib
import tarfile
from pathlib import Path

from release.commands import ReleaseError, run

_UV = Path(".venv/bin/uv")


def build(source: Path, target: Path) -> tuple[Path, Path]:
    """Build the wheel and the sdist of ``source`` into ``target``, which holds nothing else, and return them.

    Nothing is fetched: what builds is in the environment that ``make setup`` has made in the checkout.
    """
    top = Path(__file__).parents[1]
    options = ("--quiet", "--no-build-isolation", "--offline", "--python", top / ".venv/bin/python")
    run(top / _UV, "build", *options, "--sdist", "--wheel", "--out-dir", target, source)
    (wheel,) = target.glob("*.whl")
    (sdist,) = target.glob("*.tar.gz")
    return wheel, sdist


def build_again(source: Path, wheel: Path, sdist: Path, scratch: Path) -> None:
    """Raise ``ReleaseError`` where a second build of ``source``, or one of the sdist, brings anything else."""
    unpacked = scratch / "unpacked"
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (inside,) = unpacked.iterdir()
    for title, folder in (("a second build", source), ("a build of the sdist", inside)):
        for known, again in zip((wheel, sdist), build(folder, scratch / folder.name), strict=True):
            if _digest(known) != _digest(again):
                raise ReleaseError(f"{title} makes another {known.name}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
