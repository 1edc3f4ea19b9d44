"""The bill of materials: what is installed with the product, in CycloneDX."""

import sys
from pathlib import Path

from release.commands import run


def write_bill(environment: Path, project: Path, target: Path) -> None:
    """Write what ``environment`` holds, with licences, into ``target``; the same each time.

    ``project`` is the pyproject.toml of what it is the bill of.
    """
    run(
        Path(sys.executable).with_name("cyclonedx-py"),
        "environment",
        environment,
        f"--pyproject={project}",
        "--mc-type=application",
        "--gather-license-texts",
        "--output-reproducible",
        "--validate",
        "--output-format=JSON",
        f"--output-file={target}",
    )
