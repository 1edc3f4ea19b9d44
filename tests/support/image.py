"""An image without a container engine: the Dockerfile's own steps, carried out in root folders of this machine.

Each stage is a folder, RUN is a chroot in name spaces of its own, COPY obeys .dockerignore. It takes root and Linux.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from tests.support.dockerfile import SCRATCH, Dockerfile, Instruction, Stage, expanded

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OUTPUT_TAIL = 3_000

# What an engine puts into every step: name resolution, and behind a company's proxy whom to trust.
_BORROWED = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
_PASSED = ("SSL_CERT_FILE", "PIP_CERT", "http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "UV_DEFAULT_INDEX")


class BuildError(Exception):
    """A step failed. Holds the step and the end of what it printed."""


@dataclass(slots=True)
class Image:
    """A root folder, and what is said about running something in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)

    def inside(self, path: str) -> Path:
        return self.root / (Path(self.folder) / path).relative_to("/")

    @property
    def size(self) -> int:
        """Bytes of all its files; hard links once, as a layer holds them."""
        seen: dict[int, int] = {}
        for folder, _, names in os.walk(self.root):
            for known in (Path(folder, name).lstat() for name in names):
                seen[known.st_ino] = known.st_size
        return sum(seen.values())


class ImageBuild:
    """Builds the stages of a Dockerfile, one folder each."""

    def __init__(self, dockerfile: Dockerfile, context: Path, base: Path, arguments: Mapping[str, str]) -> None:
        """``base`` is the root folder that stands for every image that is not a stage.

        ``arguments`` are what ``--build-arg`` gives.
        """
        self._dockerfile = dockerfile
        self._context = Context(context)
        self._base = base
        self._given = dict(arguments)
        self._built: dict[str, Image] = {}
        self._variables: dict[str, str] = {}

    def build(self, folder: Path) -> Image:
        """Carry out every stage below ``folder`` and return the last one. Raises ``BuildError``."""
        image = Image(folder)
        for number, stage in enumerate(self._dockerfile.stages):
            image = self._stage(stage, folder / (stage.name or str(number)))
            self._built[stage.name or str(number)] = image
        return image

    def _stage(self, stage: Stage, root: Path) -> Image:
        base = expanded(stage.base, {**self._dockerfile.arguments, **self._given})
        if base == SCRATCH:
            root.mkdir()
        else:
            _copy_tree(self._built[base].root if base in self._built else self._base, root)
        image = Image(root)
        self._variables = dict(image.environment)
        for each in stage.instructions:
            self._actions[each.word](self, image, each)
        return image

    def _argument(self, image: Image, step: Instruction) -> None:
        name, _, default = step.text.partition("=")
        self._variables[name] = self._given.get(name, default)

    def _environment(self, image: Image, step: Instruction) -> None:
        image.environment |= step.pairs(self._variables)
        self._variables |= image.environment

    def _label(self, image: Image, step: Instruction) -> None:
        image.labels |= step.pairs(self._variables)

    def _folder(self, image: Image, step: Instruction) -> None:
        image.folder = step.text
        image.inside(".").mkdir(parents=True, exist_ok=True)

    def _copy(self, image: Image, step: Instruction) -> None:
        *sources, target = step.text.split()
        origin = self._built[step.flags["from"]].root if "from" in step.flags else None
        for source in sources:
            if origin is not None:
                _copy_tree(origin / source.lstrip("/"), image.inside(target))
            else:
                # A file keeps its name in a folder; of a folder it is what it holds that is copied.
                place = image.inside(target)
                self._context.copy(source, place / Path(source).name if target.endswith("/") else place)

    def _run(self, image: Image, step: Instruction) -> None:
        borrowed = [path for path in _BORROWED if Path(path).exists()]
        mounts = [f"mount --bind {path} {image.root}{os.path.realpath(path)}" for path in borrowed]
        for path in borrowed:
            place = image.root / os.path.realpath(path).lstrip("/")
            if not place.exists():
                place.touch()
        passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
        script = " && ".join(
            [
                *mounts,
                f"mount -t proc proc {image.root}/proc",
                f"mount --bind /dev {image.root}/dev",
                f'exec chroot {image.root} /bin/sh -c \'cd "$0" && exec /bin/sh -c "$1"\' "$@"',
            ]
        )
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                script,
                "sh",
                image.folder,
                step.text,
            ],
            env={**passed, **self._variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BuildError(f"RUN {step.text}\n{done.stdout[-_OUTPUT_TAIL:]}")

    def _user(self, image: Image, step: Instruction) -> None:
        image.user = step.text

    def _volume(self, image: Image, step: Instruction) -> None:
        image.volumes.append(step.text)

    def _entrypoint(self, image: Image, step: Instruction) -> None:
        image.entrypoint = step.exec_form or ["/bin/sh", "-c", step.text]

    def _healthcheck(self, image: Image, step: Instruction) -> None:
        command = Instruction("CMD", step.text.removeprefix("CMD").strip(), {})
        image.healthcheck = command.exec_form or ["/bin/sh", "-c", command.text]

    def _nothing(self, image: Image, step: Instruction) -> None:
        """What changes neither files nor how something runs here."""

    _actions: Mapping[str, Callable[["ImageBuild", Image, Instruction], None]] = {
        "ARG": _argument,
        "ENV": _environment,
        "LABEL": _label,
        "WORKDIR": _folder,
        "COPY": _copy,
        "RUN": _run,
        "USER": _user,
        "VOLUME": _volume,
        "ENTRYPOINT": _entrypoint,
        "HEALTHCHECK": _healthcheck,
        "CMD": _nothing,
        "EXPOSE": _nothing,
        "STOPSIGNAL": _nothing,
    }


class Context:
    """The files of a checkout that .dockerignore lets into a build."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        lines = (folder / ".dockerignore").read_text().splitlines()
        self._patterns = [line for line in lines if line and not line.startswith("#")]

    def has(self, path: str) -> bool:
        """Whether the file at ``path``, relative to the checkout, is in; the last pattern that fits it decides."""
        inside = True
        for pattern in self._patterns:
            if _fits(path, pattern.removeprefix("!")):
                inside = pattern.startswith("!")
        return inside

    def copy(self, source: str, target: Path) -> None:
        """Copy a file, or what a folder holds. Raises ``FileNotFoundError`` where nothing of it is in."""
        found = [each for each in self._files(source) if self.has(str(each))]
        if not found:
            raise FileNotFoundError(f"COPY {source}: not in the build's context")
        for each in found:
            place = target / each.relative_to(source) if (self._folder / source).is_dir() else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._folder / each, place)

    def _files(self, source: str) -> list[Path]:
        path = self._folder / source
        found = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        return [each.relative_to(self._folder) for each in found]


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern of .dockerignore is that of the path or of a folder that it is in."""
    parts = path.split("/")
    names = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    if pattern.startswith("**/"):
        return any(fnmatch(part, pattern.removeprefix("**/")) for part in parts)
    return any(fnmatch(name, pattern) for name in names)


def _copy_tree(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", target], check=True)
