"""What the CloudFormation templates promise to those who deploy them."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_all

from bridge.config import load
from bridge.engine.policy import Policy
from bridge.permissions import Task
from bridge.permissions.stack import stack
from bridge.permissions.tasks import needed
from bridge.permissions.templates import PAIRS
from bridge.telemetry import names
from tests.deploy import mirrors
from tests.support.stack import FOLDER, Stack

DEPLOY = FOLDER.parent
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:kafka-login"
GIVEN: dict[str, Any] = {
    "Name": "orders",
    "Configuration": yaml.safe_dump(mirrors.WITH_PASSWORD),
    "Image": "registry.example/kmbridge:0.1.0",
    "PolicyArn": "arn:aws:iam::000000000000:policy/orders",
    "Cluster": "streaming",
    "VpcId": "vpc-0",
    "SubnetIds": ["subnet-0"],
}
_CLOSING_S = 30.0
TASKS = ("RunTask", "BackfillTask")


@pytest.mark.parametrize("name", ["service.yaml", "alarms.yaml", "policy.json"])
def test_a_template_is_one_that_cloudformation_takes(name: str) -> None:
    """And nothing in it is bad practice, as far as cfn-lint knows."""
    assert [str(each) for each in lint_all((FOLDER / name).read_text()) if each.rule.id[0] in "EW"] == []


def test_the_policy_of_a_pair_is_that_of_the_table() -> None:
    """With the reader's own names; only the one that is asked for is made."""
    own = {"Name": "orders", "Stream": "orders", "Topic": "orders", "Cluster": "events/1", "OtherCluster": "old/2"}
    for pair, parts in PAIRS.items():
        made = Stack("policy.json", {"Pair": pair, **own})
        (policy,) = made.resources.values()
        text = needed(parts, [Task.RUN]).text()
        for placeholder, name in (
            ("OTHER_CLUSTER/CLUSTER_ID", "old/2"),
            ("CLUSTER/CLUSTER_ID", "events/1"),
            ("OTHER_STREAM", "none"),
            ("OTHER_TOPIC", "none"),
            ("STREAM", "orders"),
            ("TOPIC", "orders"),
            ("TABLE", "none"),
            ("NAME", "orders"),
            ("REGION", "eu-west-1"),
        ):
            text = text.replace(placeholder, name)
        assert policy["Properties"]["PolicyDocument"] == json.loads(text)
        assert [made.outputs["PolicyArn"]] == [*made.resources]
    assert (FOLDER / "policy.json").read_text() == stack()


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_longer_to_end_than_the_longest_drain_takes(task: str) -> None:
    """120 s are the most that Fargate gives."""
    policy = Policy()
    stop = Stack("service.yaml", GIVEN).container(task, "kmbridge")["StopTimeout"]
    assert policy.drain_s + policy.withdrawn_s + policy.drain_s + _CLOSING_S < stop <= 120


@pytest.mark.parametrize("task", TASKS)
def test_a_task_can_do_no_more_than_it_has_to(task: str) -> None:
    """No root, no writable image, no capability."""
    container = Stack("service.yaml", GIVEN).container(task, "kmbridge")
    assert container["ReadonlyRootFilesystem"] is True
    assert container["User"] == "10001:10001"
    assert container["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}


@pytest.mark.parametrize("task", TASKS)
def test_the_configuration_becomes_a_file_before_the_mirror_starts(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very program of the template writes it, and the mirror's own parser takes it with the task's options."""
    made = Stack("service.yaml", {**GIVEN, "KafkaSecretArn": SECRET, "Instance": "one"})
    before, after = made.container(task, "configuration"), made.container(task, "kmbridge")
    assert after["DependsOn"] == [{"ContainerName": "configuration", "Condition": "SUCCESS"}]
    assert before["MountPoints"] == after["MountPoints"]
    monkeypatch.chdir(tmp_path)
    for variable in before["Environment"]:
        monkeypatch.setenv(variable["Name"], variable["Value"])
    exec(before["Command"][0], {})
    command = after["Command"]
    settings = [text for option, text in pairwise(command) if option == "--set"]
    environment = {each["Name"]: "hunter2" for each in after["Secrets"]}
    asked = load([command[1]], environment=environment, settings=settings)
    assert asked.name == "orders"
    assert asked.workers.instance == ("one" if task == "RunTask" else None)


def test_secrets_are_named_and_nowhere_written() -> None:
    """ECS reads them when a task starts, and only where there are some."""
    made = Stack("service.yaml", {**GIVEN, "KafkaSecretArn": SECRET})
    told = {each["Name"]: each["ValueFrom"] for each in made.container("RunTask", "kmbridge")["Secrets"]}
    assert told == {"KAFKA_USERNAME": f"{SECRET}:username::", "KAFKA_PASSWORD": f"{SECRET}:password::"}
    (read,) = made.properties("ExecutionRole")["Policies"]
    assert [each["Resource"] for each in read["PolicyDocument"]["Statement"]] == [SECRET]
    none = Stack("service.yaml", GIVEN)
    assert "Secrets" not in none.container("RunTask", "kmbridge")
    assert none.properties("ExecutionRole")["Policies"] == []


def test_a_task_has_the_policy_that_it_is_given_and_no_other() -> None:
    """What ECS may do to start it is another role's."""
    made = Stack("service.yaml", GIVEN)
    assert made.properties("TaskRole")["ManagedPolicyArns"] == [GIVEN["PolicyArn"]]
    assert "Policies" not in made.properties("TaskRole")
    assert made.properties("RunTask")["TaskRoleArn"] != made.properties("RunTask")["ExecutionRoleArn"]


@pytest.mark.parametrize("one", [{"Instance": "orders-0"}, {"OneWorker": "true"}])
def test_a_worker_that_there_may_be_once_ends_before_its_successor_begins(one: Any) -> None:
    """A static member that comes later throws the earlier one out; checkpoints for one refuse the second."""
    made = Stack("service.yaml", {**GIVEN, **one, "DesiredCount": 3, "MaximumCount": 8})
    service = made.properties("Service")
    assert service["DesiredCount"] == 1
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0
    assert service["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert "ScalableTarget" not in made.resources


def test_workers_that_share_are_replaced_without_a_pause() -> None:
    """And a deployment that does not become healthy goes back by itself."""
    deployment = Stack("service.yaml", GIVEN).properties("Service")["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_lag_makes_tasks_only_where_that_is_asked_for() -> None:
    """By the metric that the mirror tells CloudWatch."""
    assert "ScalableTarget" not in Stack("service.yaml", GIVEN).resources
    made = Stack("service.yaml", {**GIVEN, "MaximumCount": 8})
    scaling = made.properties("ScaleOnLag")["TargetTrackingScalingPolicyConfiguration"]
    assert scaling["CustomizedMetricSpecification"]["Dimensions"] == [{"Name": "mirror", "Value": "orders"}]
    assert scaling["CustomizedMetricSpecification"]["MetricName"] == names.LAG_SECONDS.name


def test_nobody_can_reach_a_task() -> None:
    """Its HTTP endpoints are on its own loopback, where health is asked for."""
    group = Stack("service.yaml", GIVEN).properties("SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert {rule["Description"] for rule in group["SecurityGroupEgress"]} == {"AWS", "Kafka"}


def test_alarms_are_on_metrics_that_there_are() -> None:
    """With the labels that they have as dimensions; and nothing of a mirror that is gone passes for well."""
    known = {each.name: set(each.labels) for each in vars(names).values() if isinstance(each, names.Definition)}
    alarms = Stack("alarms.yaml", {"Name": "orders"}).resources
    for alarm in alarms.values():
        asked = alarm["Properties"]
        dimensions = {each["Name"] for each in asked["Dimensions"]} - {"mirror"}
        assert dimensions <= known[asked["MetricName"]]
        assert {"Name": "mirror", "Value": "orders"} in asked["Dimensions"]
    assert alarms["Gone"]["Properties"]["TreatMissingData"] == "breaching"


def test_nothing_that_is_handed_out_names_a_real_account() -> None:
    """Placeholders are of zeros."""
    texts = {file.name: file.read_text() for file in DEPLOY.rglob("*") if file.suffix in {".yaml", ".json", ".tpl"}}
    found = {name: set(re.findall(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text)) for name, text in texts.items()}
    assert set().union(*found.values()) <= {"000000000000"}
