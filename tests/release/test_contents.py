"""What is found out about a package before it is published."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.commands import ReleaseError
from release.contents import check_sdist, check_wheel, compare, declared_version, tracked

TOP = Path(__file__).parents[2]
VERSION = declared_version(TOP)


def _wheel(path: Path, files: list[str], metadata: str) -> Path:
    described = f"kmbridge-{VERSION}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*files, f"{described}/licenses/LICENSE"):
            archive.writestr(name, "")
        archive.writestr(f"{described}/METADATA", metadata)
    return path


def _metadata(version: str) -> str:
    return f"Name: kmbridge\nVersion: {version}\nLicense-Expression: Apache-2.0\n"


def test_a_wheel_holds_exactly_what_the_checkout_tracks(tmp_path: Path) -> None:
    """Data files too: one that is missing, and one that lay about, are named."""
    files = tracked(TOP)
    assert "bridge/config/example.yaml" in files
    check_wheel(_wheel(tmp_path / "whole.whl", files, _metadata(VERSION)), TOP, VERSION)
    lacking = [name for name in files if name != "bridge/config/example.yaml"]
    with pytest.raises(ReleaseError, match=r"lacks bridge/config/example\.yaml"):
        check_wheel(_wheel(tmp_path / "lacking.whl", lacking, _metadata(VERSION)), TOP, VERSION)
    with pytest.raises(ReleaseError, match=r"has, untracked, bridge/notes\.txt"):
        check_wheel(_wheel(tmp_path / "more.whl", [*files, "bridge/notes.txt"], _metadata(VERSION)), TOP, VERSION)


def test_a_package_says_the_version_of_the_project(tmp_path: Path) -> None:
    """Which stands in pyproject.toml, and nowhere else."""
    with pytest.raises(ReleaseError, match=r"9\.9\.9"):
        check_wheel(_wheel(tmp_path / "other.whl", tracked(TOP), _metadata("9.9.9")), TOP, VERSION)


def test_an_sdist_can_be_built_and_read(tmp_path: Path) -> None:
    """It has what builds it, license, and what people read first."""
    sdist = tmp_path / "lacking.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in (*tracked(TOP), "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"):
            archive.addfile(tarfile.TarInfo(f"kmbridge-{VERSION}/{name}"), io.BytesIO())
    with pytest.raises(ReleaseError, match=r"no CHANGELOG\.md"):
        check_sdist(sdist, TOP, VERSION)


def test_few_of_many_differences_are_named() -> None:
    """Five are enough to see what went wrong."""
    with pytest.raises(ReleaseError) as caught:
        compare("wheel", [f"bridge/{number}.py" for number in range(9)], [])
    assert str(caught.value).count(".py") == 5
