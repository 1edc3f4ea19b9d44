"""The image that the Dockerfile makes, built here step by step and run as a container engine runs it."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.base_image import base_image
from tests.support.checker import check_exact
from tests.support.container import Container, contained, stopped_under_load
from tests.support.dockerfile import read_dockerfile
from tests.support.factories import Figure
from tests.support.image import Image, ImageBuild
from tests.support.kinesis_api import CREDENTIALS
from tests.support.missing import give_up
from tests.support.provision import MissingServerError
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory

pytestmark = pytest.mark.image

TOP = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
LIMIT_BYTES = 200_000_000
BUILD_TOOLS = (
    "apk",
    "apt-get",
    "cc",
    "c++",
    "clang",
    "conda",
    "dpkg",
    "easy_install",
    "g++",
    "gcc",
    "go",
    "ld",
    "make",
    "pip",
    "pip3",
    "uv",
)

STEPS = """
name: orders
source: {kinesis: {stream: orders, region: eu-west-1}}
sink: {kafka: {bootstrap_servers: [b-1:9098], topic: orders}}
transforms:
  - filter: value.kind.lowerAscii() == "order"
  - redact: {fields: [$..email]}
"""

Build = Callable[[str], Image]
Volume = Callable[[Image], Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds the image from one of the locks."""
    try:
        base = base_image()
    except MissingServerError as error:
        give_up(error)

    def make(requirements: str) -> Image:
        steps = ImageBuild(read_dockerfile(TOP / "Dockerfile"), TOP, base, {"REQUIREMENTS": requirements})
        return steps.build(tmp_path_factory.mktemp(requirements))

    return make


@pytest.fixture(scope="module")
def image(build: Build) -> Image:
    return build("run")


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """Makes an empty volume that belongs to whom the image says."""

    def make(image: Image) -> Path:
        (place,) = image.volumes
        folder, owner = tmp_path / "volume", (image.root / place.lstrip("/")).stat()
        folder.mkdir(mode=0o750)
        os.chown(folder, owner.st_uid, owner.st_gid)
        return folder

    return make


def test_it_is_small(image: Image, figure: Figure) -> None:
    """All its files together stay under 200 MB."""
    figure("size", f"{image.size / 1e6:.0f} MB")
    assert image.size < LIMIT_BYTES


def test_nothing_in_it_builds_or_installs(image: Image) -> None:
    """No compiler, no pip, and no program that runs with another user's rights."""
    folders = [str(image.root / folder.lstrip("/")) for folder in image.environment["PATH"].split(":")]
    assert shutil.which("kmbridge", path=":".join(folders)) is not None
    assert [tool for tool in BUILD_TOOLS if shutil.which(tool, path=":".join(folders))] == []
    files = [each for each in image.root.rglob("*") if each.is_file() and not each.is_symlink()]
    assert [each for each in files if each.stat().st_mode & 0o6000] == []
    assert [each for each in files if each.name in ("pip", "ensurepip", "setuptools")] == []


async def test_the_demo_runs_in_it(image: Image, volume: Volume, tmp_path: Path) -> None:
    """As a user without rights, on a root that cannot be written: the records are mirrored and proven equal."""
    place = volume(image)
    locks = ("--require-hashes", "-r", TOP / "requirements/demo.txt")
    installing = await asyncio.create_subprocess_exec(
        UV, "pip", "install", "-q", "--target", place / "packages", *locks
    )
    assert await installing.wait() == 0
    await _demonstrate(image, place, tmp_path, {"PYTHONPATH": f"{image.volumes[0]}/packages"})
    assert [each.name for each in place.iterdir()] == ["packages"]


@pytest.mark.long
async def test_an_image_for_the_demo_needs_nothing_else(build: Build, volume: Volume, tmp_path: Path) -> None:
    """``--build-arg REQUIREMENTS=demo`` brings the server that the demo reads from."""
    image = build("demo")
    await _demonstrate(image, volume(image), tmp_path, {})


async def _demonstrate(image: Image, place: Path, folder: Path, environment: Mapping[str, str]) -> None:
    command = contained(image, place, [*image.entrypoint, "demo", "--records", "2000"], environment)
    async with Container(command, folder / "demo.log") as container:
        assert await container.ended(90) == 0, container.printed()
        assert "equal" in container.printed()


async def test_what_expressions_and_paths_need_is_in_it(image: Image, volume: Volume, tmp_path: Path) -> None:
    """Of their libraries only some is there."""
    place = volume(image)
    (place / "mirror.yaml").write_text(STEPS)
    check = contained(image, place, [*image.entrypoint, "config", "check", "mirror.yaml"], {})
    async with Container(check, tmp_path / "check.log") as container:
        assert await container.ended() == 0, container.printed()


async def test_sigterm_drains_it_and_it_tells_its_health(
    image: Image, volume: Volume, route: RouteFactory, seed: int, tmp_path: Path
) -> None:
    """Healthy while it mirrors, in two workers; under load it ends with 0, and the next container loses nothing."""
    path = route()
    place = volume(image)
    mirror = path.mirror({"name": path.topic, "checkpoints": None, "workers": {"session_timeout": "2s"}})
    shutil.copy(mirror.config, place / "mirror.yaml")
    environment = {**CREDENTIALS, "KMBRIDGE_HEALTHCHECK": f"{mirror.url}/healthz"}
    run = [*image.entrypoint, "run", "--workers", "2", "mirror.yaml"]
    sent = list(generate(20_000, 500, seed=seed, size=1_000))

    async def is_healthy() -> bool:
        check = contained(image, place, image.healthcheck, environment)
        async with Container(check, tmp_path / "health.log") as container:
            return await container.ended() == 0

    assert not await is_healthy()
    stops = await stopped_under_load(path, contained(image, place, run, environment), sent, tmp_path, is_healthy)
    assert stops.codes == [0, 0]
    assert stops.in_time < len(sent), "there was no load any more"
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_checkpoints_in_the_volume_outlive_the_container(
    image: Image, volume: Volume, route: RouteFactory, seed: int, tmp_path: Path
) -> None:
    """With checkpoints in a file of no folder the next container goes on where the last one ended."""
    path = route(shards=1)
    place = volume(image)
    mirror = path.mirror({"checkpoints": {"sqlite": {"path": "mirror.db"}}})
    shutil.copy(mirror.config, place / "mirror.yaml")
    run = contained(image, place, [*image.entrypoint, "run", "mirror.yaml"], CREDENTIALS)
    sent = list(generate(1_000, 50, seed=seed))
    for share in (sent[:500], sent[500:]):
        await path.write(share)
        async with Container(run, tmp_path / "mirror.log") as container:
            await path.until_arrived(share[-1].id + 1)
            await container.signal(signal.SIGTERM)
            assert await container.ended() == 0
    assert check_exact(ids_by_key(sent), await path.ids_by_key()).ok
