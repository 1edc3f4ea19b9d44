"""A server that cannot be had costs one loud line, or the run where servers are required."""

from pathlib import Path

import pytest

from tests.support import provision
from tests.support.missing import address_or_skip, loud_lines
from tests.support.shared import SharedServers


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedServers:
    """Neither tools, nor anything built before, nor a running server."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    for name in (provision.KAFKA_VARIABLE, provision.KINESIS_VARIABLE, "CI"):
        monkeypatch.delenv(name, raising=False)
    return SharedServers(tmp_path)


def test_the_test_is_skipped_and_told_what_is_missing(bare_machine: SharedServers) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"java and mvn missing; .*KMBRIDGE_TEST_KAFKA"):
        address_or_skip(bare_machine.kafka)
    with pytest.raises(pytest.skip.Exception, match=r"cargo missing; .*KMBRIDGE_TEST_KINESIS"):
        address_or_skip(bare_machine.kinesis)


def test_where_servers_are_required_it_fails(bare_machine: SharedServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="cargo missing"):
        address_or_skip(bare_machine.kinesis)
    assert provision.main() == 1


def test_without_tools_nothing_is_built_and_nothing_fails(bare_machine: SharedServers) -> None:
    assert provision.main() == 0


def test_a_running_server_needs_nothing_else(bare_machine: SharedServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(provision.KAFKA_VARIABLE, "broker:9092")
    assert address_or_skip(bare_machine.kafka) == "broker:9092"


def test_many_skips_make_one_line_a_server() -> None:
    def skipped(reason: str) -> pytest.TestReport:
        longrepr = ("file.py", 1, f"Skipped: {reason}")
        return pytest.TestReport("test", ("file.py", 1, "test"), {}, "skipped", longrepr, "setup")

    reports = [skipped("kmbridge: no broker"), skipped("kmbridge: no broker"), skipped("another reason")]
    assert loud_lines(reports) == ["2 TESTS SKIPPED: no broker"]
