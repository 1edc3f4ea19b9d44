"""What a package has to hold: all that the checkout's packages hold, and no more."""

import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from pathlib import Path

from release.commands import ReleaseError, run

PACKAGES = ("bridge", "connectors", "checkpoints")


def declared_version(top: Path) -> str:
    """The version, which pyproject.toml alone says."""
    version: str = tomllib.loads((top / "pyproject.toml").read_text())["project"]["version"]
    return version


def check_wheel(wheel: Path, top: Path, version: str) -> None:
    """Raise ``ReleaseError`` where a tracked file is missing, one is too many, or it is not said what it is."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        described = f"kmbridge-{version}.dist-info"
        compare(wheel.name, tracked(top), (name for name in names if not name.startswith(f"{described}/")))
        if f"{described}/licenses/LICENSE" not in names:
            raise ReleaseError(f"{wheel.name}: no license")
        _check_metadata(wheel.name, archive.read(f"{described}/METADATA").decode(), version)


def check_sdist(sdist: Path, top: Path, version: str) -> None:
    """As ``check_wheel``. It also holds what it is built with and what people read first."""
    root = f"kmbridge-{version}"
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"{root}/") for name in archive.getnames()}
        compare(sdist.name, tracked(top), (name for name in names if name.partition("/")[0] in PACKAGES))
        missing = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO"} - names
        if missing:
            raise ReleaseError(f"{sdist.name}: no {', '.join(sorted(missing))}")
        described = archive.extractfile(f"{root}/PKG-INFO")
        _check_metadata(sdist.name, described.read().decode() if described else "", version)


def compare(package: str, expected: Iterable[str], found: Iterable[str]) -> None:
    """Raise ``ReleaseError`` that names up to five files that are missing or too many."""
    wanted, there = set(expected), set(found)
    for fault, names in (("lacks", wanted - there), ("has, untracked,", there - wanted)):
        if names:
            raise ReleaseError(f"{package} {fault} {', '.join(sorted(names)[:5])}")


def tracked(top: Path) -> list[str]:
    """The files of the packages that are part of the project."""
    return run("git", "-C", top, "ls-files", "--", *PACKAGES).splitlines()


def _check_metadata(package: str, text: str, version: str) -> None:
    metadata = Parser().parsestr(text)
    found = (metadata["Name"], metadata["Version"], metadata["License-Expression"])
    if found != ("kmbridge", version, "Apache-2.0"):
        raise ReleaseError(f"{package} says that it is {found}")
