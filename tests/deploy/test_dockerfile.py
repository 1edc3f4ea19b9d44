"""What the Dockerfile promises to whoever runs the image, without building it."""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.loaders import create_loader

from tests.support.dockerfile import Dockerfile, Instruction, expanded, read_dockerfile
from tests.support.image import Context

TOP = Path(__file__).parents[2]
OTHER_MEANINGS = {"account", "batch", "config", "discovery", "ecs", "kms", "schemas", "translate"}
"""Names of AWS services which the code uses for something else."""


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return read_dockerfile(TOP / "Dockerfile")


def _all(dockerfile: Dockerfile, word: str) -> list[Instruction]:
    return [each for stage in dockerfile.stages for each in stage.instructions if each.word == word]


def test_every_stage_begins_with_the_base_of_the_argument_or_with_nothing(dockerfile: Dockerfile) -> None:
    """So that one digest pins all there is; it says slim where nobody names another."""
    names = {stage.name for stage in dockerfile.stages}
    assert {stage.base for stage in dockerfile.stages} - names == {"${BASE}", "scratch"}
    assert "-slim" in dockerfile.arguments["BASE"]
    assert expanded("${BASE}", {"BASE": "python@sha256:0123"}) == "python@sha256:0123"


def test_whatever_is_installed_is_locked_by_hashes(dockerfile: Dockerfile) -> None:
    """But the product itself, which is built from the context without anything from outside."""
    commands = [part for step in _all(dockerfile, "RUN") for part in step.text.split("&&") if "install" in part]
    assert commands
    for command in commands:
        assert "--require-hashes" in command or ("--no-deps" in command and "dist/*.whl" in command), command
    assert all("--no-build-isolation" in step.text for step in _all(dockerfile, "RUN") if "uv build" in step.text)


def test_nothing_comes_from_an_address_of_its_own(dockerfile: Dockerfile) -> None:
    """No ADD and no download: only the base, the locks and the context."""
    assert not _all(dockerfile, "ADD")
    assert not [
        step for step in _all(dockerfile, "RUN") if re.search(r"https?://|\bcurl\b|\bwget\b|apt-get", step.text)
    ]


def test_it_runs_as_a_number_that_is_not_root(dockerfile: Dockerfile) -> None:
    """A number, because Kubernetes' runAsNonRoot cannot tell what a name stands for; its volume is that user's."""
    user = dockerfile.last.only("USER").text
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    volume = dockerfile.last.only("VOLUME").text
    assert any(f"chown {user} {volume}" in step.text for step in _all(dockerfile, "RUN"))


def test_signals_reach_the_process(dockerfile: Dockerfile) -> None:
    """No shell stands between the engine and the command, and SIGTERM is what it is sent."""
    assert dockerfile.last.only("ENTRYPOINT").exec_form == ["kmbridge"]
    assert dockerfile.last.only("CMD").exec_form is not None
    assert dockerfile.last.only("STOPSIGNAL").text == "SIGTERM"


def test_files_without_a_folder_go_into_the_volume(dockerfile: Dockerfile) -> None:
    """The default checkpoint file among them, and what tools put into the home folder."""
    volume = dockerfile.last.only("VOLUME").text
    assert dockerfile.last.only("WORKDIR").text == volume
    assert dockerfile.last.only("ENV").pairs({})["HOME"] == volume


def test_its_health_is_asked_by_a_module_that_exists(dockerfile: Dockerfile) -> None:
    """Without a shell or curl, and without modules that somebody put into the volume."""
    check = dockerfile.last.only("HEALTHCHECK")
    command = Instruction("CMD", check.text.removeprefix("CMD "), {}).exec_form
    assert command is not None
    assert command[:3] == ["python", "-P", "-m"]
    assert (TOP / command[3].replace(".", "/")).with_suffix(".py").is_file()
    assert check.flags.keys() == {"interval", "timeout", "start-period"}


def test_it_says_what_it_is(dockerfile: Dockerfile) -> None:
    """In the labels of the Open Container Initiative, with the version that the build names."""
    labels = dockerfile.last.only("LABEL").pairs({"VERSION": "1.2.3", "REVISION": "abc"})
    assert labels["org.opencontainers.image.version"] == "1.2.3"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.parametrize("path", [".git/config", ".venv/pyvenv.cfg", "tests/conftest.py", "orders.yaml", ".env"])
def test_the_build_never_sees_what_it_does_not_copy(path: str) -> None:
    """Secrets and configurations that lie in a checkout cannot come into a layer."""
    assert not Context(TOP).has(path)


def test_the_build_sees_all_that_it_copies(dockerfile: Dockerfile, tmp_path: Path) -> None:
    """Every source of a COPY is let in by .dockerignore."""
    for step in _all(dockerfile, "COPY"):
        if "from" not in step.flags:
            for source in step.text.split()[:-1]:
                Context(TOP).copy(source, tmp_path / source)


def test_the_descriptions_of_every_service_that_is_called_stay_in_the_image() -> None:
    """A client of another would fail when it is made, because botocore is cut down to some services."""
    named = {word for package in ("bridge", "connectors", "checkpoints") for word in _words(TOP / package)}
    called = named.intersection(create_loader().list_available_services("service-2")) - OTHER_MEANINGS
    assert called >= {"kinesis", "dynamodb", "sts", "pricing"}
    assert called <= runpy.run_path(str(TOP / "deploy/image/slim.py"))["AWS_SERVICES"]


def _words(folder: Path) -> Iterator[str]:
    """Every text that the code holds."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
