"""The product as somebody has it who installed the wheel, far from the checkout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from release.commands import ReleaseError, run

_UV = Path(__file__).parents[1] / ".venv/bin/uv"
_DEMO = ("demo", "--records", "2000")


@dataclass(frozen=True, slots=True)
class Installed:
    """The virtual environment in the folder ``environment``, with the product in it."""

    environment: Path

    @classmethod
    def new(cls, environment: Path, wheel: Path, requirements: Path) -> Self:
        """An environment of its own with what the lock says and the wheel."""
        run(_UV, "venv", "--quiet", environment)
        installed = cls(environment)
        installed.add(requirements)
        run(*installed._install, "--no-deps", wheel)
        run(_UV, "pip", "check", "--python", installed._python)
        return installed

    def add(self, requirements: Path) -> None:
        """Install what the lock file ``requirements`` names, each by its hash. Raises ``ReleaseError``."""
        run(*self._install, "--require-hashes", "-r", requirements)

    def tried(self, version: str, folder: Path) -> str:
        """How the demo ended in ``folder``, after the other commands that need no servers. Raises ``ReleaseError``."""
        told = self._kmbridge(folder, "--version").strip()
        if told != f"kmbridge {version}":
            raise ReleaseError(f"the wheel of {version} says '{told}'")
        self._kmbridge(folder, "--help")
        example = folder / "example.yaml"
        example.write_text(self._kmbridge(folder, "config", "example"))
        self._kmbridge(folder, "config", "check", example)
        verdict = self._kmbridge(folder, *_DEMO).splitlines()[-1]
        return f"installed in an environment of its own, the demo says {' '.join(verdict.split())}"

    def _kmbridge(self, folder: Path, *arguments: object) -> str:
        return run(self.environment / "bin/kmbridge", *arguments, folder=folder)

    @property
    def _python(self) -> Path:
        return self.environment / "bin/python"

    @property
    def _install(self) -> tuple[object, ...]:
        return (_UV, "pip", "install", "--quiet", "--python", self._python)
