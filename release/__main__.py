"""``python -m release``: wheel, sdist and bill of materials in ``dist/``, if they are fit to be published.

Run by ``make release-check``, with the tools of ``requirements/release.txt`` in the environment of this Python.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from release.bill import write_bill
from release.building import build, build_again
from release.commands import ReleaseError, run
from release.contents import check_sdist, check_wheel, declared_version
from release.installed import Installed

TOP = Path(__file__).parents[1]
DIST = TOP / "dist"


def main() -> int:
    try:
        with tempfile.TemporaryDirectory() as scratch:
            _check(Path(scratch))
    except ReleaseError as error:
        print(f"release-check: {error}", file=sys.stderr)
        return 1
    return 0


def _check(scratch: Path) -> None:
    version = declared_version(TOP)
    shutil.rmtree(DIST, ignore_errors=True)
    wheel, sdist = build(TOP, DIST)
    build_again(TOP, wheel, sdist, scratch)
    check_wheel(wheel, TOP, version)
    check_sdist(sdist, TOP, version)
    run(Path(sys.executable).with_name("twine"), "check", "--strict", wheel, sdist)
    _say(f"{wheel.name} and {sdist.name} hold what they should, and come out the same each time")
    installed = Installed.new(scratch / "clean", wheel, TOP / "requirements/run.txt")
    bill = DIST / f"kmbridge-{version}.cdx.json"
    write_bill(installed.environment, TOP / "pyproject.toml", bill)
    _say(f"{bill.name} lists what is installed with it")
    installed.add(TOP / "requirements/demo.txt")
    _say(installed.tried(version, scratch))


def _say(line: str) -> None:
    print(f"release-check: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
