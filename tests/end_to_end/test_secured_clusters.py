"""Mirrors between clusters that want to know who comes: real brokers with TLS, passwords, certificates and tokens."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import yaml

from bridge.assembly import assemble
from bridge.cli.failure import report
from bridge.config import Configuration
from bridge.config.cluster import Found
from bridge.config.loading import load
from bridge.keeping.clusters import located
from checkpoints.base import CheckpointError
from connectors.base import Clock, ConnectorError, Observer
from connectors.kafka.auth import Bearer, Tls, Token
from tests.support import topics
from tests.support.certificates import KEY_PASSWORD
from tests.support.checker import check_exact
from tests.support.command import run_command
from tests.support.fake_aws import fake_aws
from tests.support.kafka_reader import ids_by_key, read_topic
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord, generate
from tests.support.records import ids_by_key as expected_ids
from tests.support.secured_kafka import PASSWORDS, SecuredKafka, unsecured_token
from tests.support.topic_writer import messages, write_topic
from tests.support.waiting import until

ENDPOINT = 3
PATIENCE_S = 30
CLUSTER_ARN = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/01234567-89ab-cdef-0123-456789abcdef-1"
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:AmazonMSK_orders-a1b2c3"

Topics = tuple[str, str]


@pytest.fixture
def names(secured_kafka: SecuredKafka) -> Iterator[Topics]:
    """A topic to read and one to write, of the secured broker, removed with the test."""
    made = tuple(f"{what}-{uuid4().hex[:12]}" for what in ("from", "to"))
    for name in made:
        topics.create_topic(secured_kafka.plain, name, 2)
    yield made[0], made[1]
    for name in made:
        topics.delete_topic(secured_kafka.plain, name)


async def fill(broker: SecuredKafka, topic: str, records: Sequence[TestRecord]) -> None:
    await asyncio.to_thread(write_topic, broker.plain, topic, messages(records))


async def arrived(broker: SecuredKafka, topic: str, count: int) -> dict[bytes, list[int]]:
    """The ids of all that is in ``topic``, once there are as many."""

    async def all_there() -> bool:
        return len(await read_topic(broker.plain, topic)) >= count

    await until(all_there, f"{count} records in {topic}", 40)
    return ids_by_key(await read_topic(broker.plain, topic))


def ends(names: Topics, source: Mapping[str, Any], sink: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sections of a mirror between ``names``: where either end is, and how it is entered."""
    return {"kafka": {"topic": names[0], **source}}, {"kafka": {"topic": names[1], **sink}}


async def test_a_mirror_goes_in_by_password_and_out_by_certificate(
    secured_kafka: SecuredKafka, names: Topics, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly once, with the checkpoints where the certificate leads. No secret is in a log, /status or an argument."""
    monkeypatch.setenv("MIRROR_PASSWORD", PASSWORDS["mirror"])
    monkeypatch.setenv("KEY_PASSWORD", KEY_PASSWORD)
    scram, mutual = secured_kafka.scram_auth(), secured_kafka.mutual_auth
    scram["scram"] = {"username": "mirror", "password": "${MIRROR_PASSWORD}"}
    mutual["tls"]["key_password"] = "${KEY_PASSWORD}"
    source, sink = ends(
        names,
        {"bootstrap_servers": [secured_kafka.scram], "auth": scram},
        {"bootstrap_servers": [secured_kafka.mutual], "auth": mutual},
    )
    sent = list(generate(500, 20, seed=seed))
    await fill(secured_kafka, names[0], sent)
    more = {"name": names[1], "checkpoints": {"sqlite": None, "kafka": {"slots": 4}}, "log": {"level": "debug"}}
    async with MirrorProcess(tmp_path, source, sink, more) as mirror:
        verdict = check_exact(expected_ids(sent), await arrived(secured_kafka, names[1], len(sent)))
        assert verdict.ok, verdict
        shown = [mirror.printed(), *[(await mirror.ask(path))[1] for path in ("/status", "/metrics", "/")]]
        shown.append(await asyncio.to_thread(Path(f"/proc/{mirror.pid}/cmdline").read_text))
        assert await mirror.stop() == 0
    shown.append(mirror.printed())
    for secret in (PASSWORDS["mirror"], KEY_PASSWORD):
        assert not any(secret in each for each in shown)


class Renewed:
    """Hands out tokens of six seconds, as IAM hands out ones of fifteen minutes."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: str) -> Token:
        self.count += 1
        return unsecured_token(6)


async def test_a_mirror_outlives_its_tokens(
    secured_kafka: SecuredKafka, names: Topics, tmp_path: Path, seed: int
) -> None:
    """Every token with which it has begun expires in mid-run, and nothing is lost, doubled or out of order."""
    tokens = Renewed()
    asked = await asyncio.to_thread(_by_token, secured_kafka, names, tmp_path, tokens)
    assembly = assemble(asked, observer=Observer(), clock=Clock(), random=Random(seed))
    sent = list(generate(600, 20, seed=seed))
    async with assembly.opened():
        running = asyncio.create_task(assembly.mirror.run())
        begun = tokens.count
        await fill(secured_kafka, names[0], sent[:300])
        await arrived(secured_kafka, names[1], 300)

        async def all_anew() -> bool:
            return tokens.count >= begun + 2 * begun

        # Each client has asked twice more: what it had at first is no good any more.
        await until(all_anew, "every token renewed twice", 40)
        await fill(secured_kafka, names[0], sent[300:])
        found = await arrived(secured_kafka, names[1], len(sent))
        assembly.mirror.drain()
        await running
    verdict = check_exact(expected_ids(sent), found)
    assert verdict.ok, verdict


def _by_token(broker: SecuredKafka, names: Topics, folder: Path, tokens: Renewed) -> Configuration:
    """A mirror that has been told to come by IAM, and whose tokens are of a kind that the broker takes."""
    come = {"bootstrap_servers": [broker.token], "auth": {"iam": {}, "tls": {"ca": broker.ca}}}
    source, sink = ends(names, come, come)
    file = folder / "mirror.yaml"
    file.write_text(
        yaml.safe_dump(
            {"name": names[1], "source": source, "sink": sink, "checkpoints": {"kafka": {"slots": 4}}, "http": None}
        )
    )
    asked = load([str(file)], environment={})
    auth = Bearer(tokens, Tls(ca=broker.ca))
    return asked.with_clusters(
        {key: each.located(Found((broker.token,), auth)) for key, each in asked.clusters.items()}
    )


async def test_the_brokers_and_the_password_are_found_by_arns(
    secured_kafka: SecuredKafka, names: Topics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MSK says where the cluster is, Secrets Manager how it is entered; and so it lets us in."""
    source, sink = ends(
        names,
        {
            "msk_cluster_arn": CLUSTER_ARN,
            "auth": {"scram": {"secret_arn": SECRET_ARN}, "tls": {"ca": secured_kafka.ca}},
        },
        {"bootstrap_servers": [secured_kafka.plain]},
    )
    file = tmp_path / "mirror.yaml"
    file.write_text(yaml.safe_dump({"name": "orders", "source": source, "sink": sink}))
    with fake_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        aws.brokers = {"BootstrapBrokerStringSaslScram": secured_kafka.scram}
        aws.secrets[SECRET_ARN] = json.dumps({"username": "mirror", "password": PASSWORDS["mirror"]})
        found = await located(await asyncio.to_thread(partial(load, [str(file)], environment={})))
    assert found.source.kafka is not None
    assert found.source.kafka.servers == (secured_kafka.scram,)
    assert PASSWORDS["mirror"] not in f"{found!r} {found.source.kafka.login!r} {found.model_dump()}"


def _written(folder: Path, source: Mapping[str, Any], sink: Mapping[str, Any]) -> Path:
    file = folder / "mirror.yaml"
    keys = {"name": "m", "checkpoints": {"kafka": {"slots": 4}}, "http": {"listen": None}}
    file.write_text(yaml.safe_dump({**keys, "source": source, "sink": sink}))
    return file


def judge(code: int | None, told: str, *named: str) -> None:
    """One message and its hint, and nothing else, with the exit code for an endpoint that will not."""
    assert code == ENDPOINT, told
    first, *others = told.strip().splitlines()
    assert first.startswith("error: "), told
    assert [line.partition(": ")[0] for line in others] == ["hint"], told
    for text in named:
        assert text in told
    assert not any(word in told for word in (*PASSWORDS.values(), "hunter2"))


async def test_a_wrong_password_ends_in_one_line(secured_kafka: SecuredKafka, names: Topics, tmp_path: Path) -> None:
    """It names the address and the key, and comes in time."""
    auth = secured_kafka.scram_auth()
    auth["scram"] = {"username": "mirror", "password": "hunter2"}
    come = {"bootstrap_servers": [secured_kafka.scram], "auth": auth}
    finished = await run_command("run", _written(tmp_path, *ends(names, come, come)))
    judge(finished.code, finished.err, secured_kafka.scram, "invalid credentials", "auth.scram")
    assert finished.seconds < PATIENCE_S


async def _opening(file: Path) -> Exception:
    """What opening the mirror raises, as ``run`` opens it."""
    asked = await located(await asyncio.to_thread(partial(load, [str(file)], environment={})))
    with pytest.raises((ConnectorError, CheckpointError)) as told:
        async with assemble(asked, observer=Observer(), clock=Clock(), random=Random(1)).opened():
            pass
    return told.value


async def test_a_missing_permission_ends_in_one_line(
    secured_kafka: SecuredKafka, names: Topics, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the topic, and what has to be granted: as Kafka calls it, and as IAM does."""
    stranger = {"bootstrap_servers": [secured_kafka.scram], "auth": secured_kafka.scram_auth("stranger")}
    welcome = {"bootstrap_servers": [secured_kafka.plain]}
    code = report(await _opening(_written(tmp_path, *ends(names, stranger, welcome))))
    told = capsys.readouterr().err
    judge(code, told, names[0], "uthorization failed", "Read and Describe on the topic", "kafka-cluster:ReadData")


async def test_a_missing_permission_on_the_checkpoints_ends_in_one_line(
    secured_kafka: SecuredKafka, names: Topics, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which are in the sink's cluster."""
    stranger = {"bootstrap_servers": [secured_kafka.scram], "auth": secured_kafka.scram_auth("stranger")}
    welcome = {"bootstrap_servers": [secured_kafka.plain]}
    code = report(await _opening(_written(tmp_path, *ends(names, welcome, stranger))))
    judge(code, capsys.readouterr().err, "kmbridge-checkpoints", "uthorization failed", "kafka-cluster:")
