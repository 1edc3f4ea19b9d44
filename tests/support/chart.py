"""The Helm chart, rendered by Helm's own engine."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.missing import give_up
from tests.support.provision import MissingServerError, helm_engine_binary

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "kmbridge"
RELEASE = "orders"
NAMESPACE = "streaming"

Manifest = Mapping[str, Any]


class RefusedValuesError(Exception):
    """The chart does not take the values; the text is what a person is told."""


@dataclass(frozen=True, slots=True)
class Rendered:
    manifests: tuple[Manifest, ...]
    notes: str

    def every(self, kind: str) -> list[Manifest]:
        return [each for each in self.manifests if each["kind"] == kind]

    def only(self, kind: str) -> Manifest:
        (found,) = self.every(kind)
        return found

    @property
    def pod(self) -> Mapping[str, Any]:
        """What the StatefulSet, or the Job, makes pods of."""
        (owner,) = [*self.every("StatefulSet"), *self.every("Job")]
        spec: Mapping[str, Any] = owner["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Mapping[str, Any]:
        (found,) = self.pod["containers"]
        container: Mapping[str, Any] = found
        return container

    @property
    def configuration(self) -> str:
        """The file that `kmbridge` reads in the pod."""
        return str(self.only("ConfigMap")["data"]["mirror.yaml"])


def render(values: Mapping[str, Any]) -> Rendered:
    """What would be installed with ``values``. Raises ``RefusedValuesError``."""
    try:
        engine = helm_engine_binary()
    except MissingServerError as error:
        give_up(error)
    command = (str(engine), str(CHART), RELEASE, NAMESPACE)
    done = subprocess.run(command, input=yaml.safe_dump(dict(values)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RefusedValuesError(done.stderr)
    texts: dict[str, str] = json.loads(done.stdout)
    notes = texts.pop("kmbridge/templates/NOTES.txt")
    return Rendered(tuple(_manifests(texts.values())), notes)


def _manifests(texts: Any) -> Iterator[Manifest]:
    for text in texts:
        yield from (each for each in yaml.safe_load_all(text) if each is not None)
