"""What stands for ``python:…-slim`` where no registry of images is reached: Debian's essentials and this very Python.

``python -m tests.support.base_image`` makes it, once a machine, into the user's cache. As root, on Debian.
"""

import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

from tests.support.provision import MissingServerError, Program, required, run

SUITE = "bookworm"

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_EXCLUDED = ("doc", "locale", "man", "info")
# What the image of Docker Hub has, and what its Python links to.
_PACKAGES = (
    "ca-certificates", "libbz2-1.0", "libffi8", "liblzma5", "libncursesw6", "libreadline8", "libsqlite3-0", "libssl3",
    "libuuid1", "netbase", "tzdata", "usr-is-merged", "zlib1g",
)  # fmt: skip
_HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"


def _build(folder: Path) -> None:
    folder.rmdir()
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--hook-dir={_HOOKS}",
        '--aptopt=Apt::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _EXCLUDED),
        f"--include={','.join(_PACKAGES)}",
        SUITE,
        str(folder),
    )
    for cache in ("var/lib/apt/lists", "var/cache/apt"):
        shutil.rmtree(folder / cache)
    _add_python(folder)


def _add_python(folder: Path) -> None:
    """This interpreter under /usr/local, without tests and with pip alone, and stripped: as the image's is."""
    prefix, local = Path(sys.base_prefix), folder / "usr/local"
    library = Path(sysconfig.get_path("stdlib"))
    ignored = shutil.ignore_patterns("site-packages", "test", "tests", "idle_test", "__pycache__", "config-*")
    shutil.copytree(library, local / "lib" / library.name, symlinks=True, ignore=ignored)
    for shared in prefix.glob("lib/libpython3*"):
        shutil.copy2(shared, local / "lib" / shared.name, follow_symlinks=False)
    program = local / "bin" / f"python{_VERSION}"
    shutil.copy2(prefix / "bin" / program.name, program)
    for name in ("python", "python3"):
        (program.parent / name).symlink_to(program.name)
    if shutil.which("strip"):
        objects = [each for each in local.rglob("*.so*") if not each.is_symlink()]
        run("strip", "--strip-unneeded", str(program), *map(str, objects))
    run("chroot", str(folder), "ldconfig")
    run("chroot", str(folder), "python", "-m", "ensurepip")
    (program.parent / "pip").symlink_to("pip3")


BASE = Program(
    title="base of the image",
    folder=f"base-{SUITE}-{platform.python_version()}",
    tools=("mmdebstrap", "unshare"),
    build=_build,
    hint="apt-get install mmdebstrap, and run it as root; or build the image with docker",
)


def base_image() -> Path:
    """Its root folder. Raises ``MissingServerError`` where it cannot be had or not be used."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise MissingServerError(f"no {BASE.title}: it takes root on Linux; {BASE.hint}")
    return BASE.locate()


def main() -> int:
    """Make it where that is possible. Where it is not, that is a failure only where servers are required."""
    try:
        if BASE.missing_tools() or os.geteuid() != 0:
            base_image()
        BASE.provide()
    except MissingServerError as error:
        print(error, file=sys.stderr)
        return 1 if required() else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
