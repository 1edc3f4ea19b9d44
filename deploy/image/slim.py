"""Takes out of an environment what the mirror never loads; the Dockerfile calls it.

``python slim.py /opt/kmbridge``
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

AWS_SERVICES = frozenset(
    {
        # what mirrors call
        "dynamodb",
        "glue",
        "kafka",
        "kinesis",
        "secretsmanager",
        "sts",
        # how credentials are found
        "signin",
        "sso",
        "sso-oidc",
        # what doctor and plan ask
        "cloudwatch",
        "firehose",
        "iam",
        "lambda",
        "pricing",
    }
)
"""Whose descriptions stay in botocore, which brings those of 400 services, 25 MB."""


def surplus(packages: Path) -> Iterator[Path]:
    """What can go from a ``site-packages``."""
    for service in (packages / "botocore/data").iterdir():
        if service.is_dir() and service.name not in AWS_SERVICES:
            yield service
    # The second of two equal backends, 12 MB; the other one is imported unless an environment variable says so.
    yield from (packages / "zstandard").glob("_cffi.*")
    # What colours 600 programming languages, 9 MB: rich has tables and bars here, no code.
    yield from set((packages / "pygments/lexers").iterdir()) - {
        packages / "pygments/lexers" / name for name in ("__init__.py", "_mapping.py")
    }
    # Extensions of the language of expressions, 31 MB, without the one that is used.
    yield from set((packages / "cel_expr_python/ext").iterdir()) - {
        *(packages / "cel_expr_python/ext").glob("ext_strings.*")
    }
    yield from packages.rglob("tests")


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def main(environment: Path) -> None:
    for packages in environment.glob("lib/python*/site-packages"):
        for path in list(surplus(packages)):
            remove(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
