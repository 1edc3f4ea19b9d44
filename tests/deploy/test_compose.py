"""What `docker compose up` finds in ``deploy/compose``: all of it there, and of one mind about names and ports."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command import COMMAND, run_command
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import read_topic
from tests.support.kinesis_api import CREDENTIALS, REGION
from tests.support.ports import HOST, free_port
from tests.support.waiting import until

FOLDER = Path(__file__).parents[2] / "deploy/compose"

Services = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def services() -> Services:
    document: Mapping[str, Services] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return document["services"]


def _mounts(service: Mapping[str, Any]) -> dict[str, Path]:
    """Where files of the checkout are in a container, and which."""
    found = [volume.split(":") for volume in service.get("volumes", ())]
    assert all(mode == "ro" for _, _, mode in found)
    return {inside: (FOLDER / outside).resolve() for outside, inside, _ in found}


def test_every_file_that_is_mounted_exists(services: Services) -> None:
    """An engine would make a folder in the place of one that does not, and say nothing."""
    mounted = [path for service in services.values() for path in _mounts(service).values()]
    assert [path for path in mounted if not path.is_file()] == []


def test_nothing_is_open_to_other_machines(services: Services) -> None:
    """These servers ask nobody who he is."""
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert len(ports) == 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_image_has_a_version_and_can_be_another(services: Services) -> None:
    """A variable each, which takes a digest."""
    images = {service["image"] for service in services.values()} - {"kmbridge:local"}
    assert len(images) == 4
    assert [each for each in images if not re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[\w./-]+:v?\d+\.\d+\.\d+\}", each)] == []


def test_the_mirror_may_as_little_as_it_needs(services: Services) -> None:
    """No right, no writing but into its volume, and time to drain before it is killed."""
    mirror = services["mirror"]
    assert mirror["read_only"] is True
    assert mirror["cap_drop"] == ["ALL"]
    assert mirror["security_opt"] == ["no-new-privileges:true"]
    assert mirror["stop_grace_period"] == "60s"


async def test_the_mirrors_configuration_is_one() -> None:
    """By the real parser."""
    checked = await run_command("config", "check", FOLDER / "orders.yaml")
    assert checked.code == 0, checked


def test_prometheus_and_grafana_find_what_they_ask(services: Services) -> None:
    """The mirror at its port, the rules and the dashboard where they are looked for, each server by its name."""
    scraping = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    targets = [
        each for job in scraping["scrape_configs"] for entry in job["static_configs"] for each in entry["targets"]
    ]
    assert targets == ["mirror:8080"]
    assert {f"/etc/prometheus/{name}" for name in scraping["rule_files"]} <= _mounts(services["prometheus"]).keys()
    (source,) = yaml.safe_load((FOLDER / "grafana/datasource.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((FOLDER / "grafana/dashboards.yaml").read_text())["providers"]
    assert any(inside.startswith(provider["options"]["path"]) for inside in _mounts(services["grafana"]))


async def test_the_samples_arrive(kinesis: str, kafka: str, topic: TopicFactory) -> None:
    """Writer and mirror, with the commands of compose.yaml against servers of this machine."""
    name = topic()
    environment = {**os.environ, **CREDENTIALS, "ENDPOINT": kinesis, "REGION": REGION, "STREAM": name}
    writer = (sys.executable, str(FOLDER / "writer.py"))
    assert await (await asyncio.create_subprocess_exec(*writer, "create", "2", env=environment)).wait() == 0
    changed = {"name": name, "source.kinesis.stream": name, "source.kinesis.region": REGION, "sink.kafka.topic": name}
    options = [f"--set={key}={value}" for key, value in {**changed, "http.listen": f"{HOST}:{free_port()}"}.items()]
    run = (*COMMAND, "run", *options, str(FOLDER / "orders.yaml"))

    async def arrived() -> bool:
        return len(await read_topic(kafka, name)) >= 400

    writing = await asyncio.create_subprocess_exec(*writer, "write", "400", env=environment)
    mirroring = await asyncio.create_subprocess_exec(*run, env={**environment, "KINESIS": kinesis, "KAFKA": kafka})
    try:
        await until(arrived, "400 orders in the topic")
    finally:
        for process in (writing, mirroring):
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
