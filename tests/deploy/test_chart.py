"""What the Helm chart promises to those who install it."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bridge.config import load_all
from bridge.engine.policy import Policy
from tests.deploy import mirrors
from tests.deploy.mirrors import EVERYTHING, TO_KAFKA
from tests.support.chart import CHART, RefusedValuesError, Rendered, render

OLDEST, NEWEST = "1.29.0", "1.37.0"
_ENVIRONMENT = {"POD_NAME": "orders-0", "KAFKA_PASSWORD": "hunter2", "KMBRIDGE_HTTP_TOKEN": "hunter2"}
_OF_OPERATORS = {"ServiceMonitor", "ScaledObject"}
_CLOSING_S = 30.0
"""For what connectors take to say goodbye, at the most."""


@cache
def rendered(case: str) -> Rendered:
    return render(EVERYTHING[case])


every_case = pytest.mark.parametrize("case", EVERYTHING)


@pytest.fixture(scope="module", autouse=True)
def _schemas_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kubernetes_validate.utils, "schema_contents", cache(kubernetes_validate.utils.schema_contents))
        yield


@every_case
def test_every_manifest_is_what_the_oldest_and_the_newest_kubernetes_take(case: str) -> None:
    """Also no field is there that Kubernetes does not know, and would pass over in silence."""
    manifests = [each for each in rendered(case).manifests if each["kind"] not in _OF_OPERATORS]
    for manifest in manifests:
        for release in (OLDEST, NEWEST):
            kubernetes_validate.validate(dict(manifest), release, strict=True)
    assert {"ConfigMap", "Service", "ServiceAccount", "NetworkPolicy"} <= {each["kind"] for each in manifests}


@every_case
def test_the_configuration_in_the_config_map_is_accepted(case: str, tmp_path: Path) -> None:
    """By the same code that reads it in the pod, with the environment that the pod has."""
    file = tmp_path / "mirror.yaml"
    file.write_text(rendered(case).configuration)
    for asked in load_all([str(file)], environment=_ENVIRONMENT).single:
        assert asked.workers.instance == "orders-0"
        assert asked.http is not None
        assert asked.http.listen == ("0.0.0.0", 8080)


@every_case
def test_each_worker_is_a_static_member_under_its_pods_name(case: str) -> None:
    """A pod that is back within its session finds its slots again."""
    configuration = yaml.safe_load(rendered(case).configuration)
    shared = configuration.get("defaults", configuration)
    assert shared["workers"]["instance"] == "${POD_NAME}"
    assert {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}} in _environment(case)


@every_case
def test_a_pod_has_longer_to_end_than_the_longest_drain_takes(case: str) -> None:
    """Records on their way, what is taken back of them, the last checkpoints: none is cut off by a kill."""
    policy = Policy()
    longest = policy.drain_s + policy.withdrawn_s + policy.drain_s + _CLOSING_S
    assert rendered(case).pod["terminationGracePeriodSeconds"] > longest


@every_case
def test_a_pod_can_do_no_more_than_it_has_to(case: str) -> None:
    """No root, no writable image, no capability, no token of the cluster."""
    pod, container = rendered(case).pod, rendered(case).container
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@every_case
def test_the_pods_health_is_asked_for_where_the_server_tells_it(case: str) -> None:
    """A mirror that waits for its source is alive, but not ready; a job has no readiness."""
    container = rendered(case).container
    asked = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness")}
    assert asked == {"startup": "/healthz", "liveness": "/healthz"}
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    if not rendered(case).every("Job"):
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


@every_case
def test_a_budget_and_a_policy_meet_the_pods_that_there_are(case: str) -> None:
    """Selectors that match nothing protect nothing, and nobody would notice."""
    found = rendered(case)
    (owner,) = [*found.every("StatefulSet"), *found.every("Job")]
    labels = owner["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        found.only("Service")["spec"]["selector"],
        found.only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(each["spec"]["selector"]["matchLabels"] for each in found.every("PodDisruptionBudget")),
        *(each["spec"]["selector"]["matchLabels"] for each in found.every("StatefulSet")),
    ]
    assert all(selector.items() <= labels for selector in selectors)


def test_another_configuration_makes_other_pods() -> None:
    """A pod reads its configuration once, so a change has to replace it."""
    one, other = rendered("defaults"), render({"config": {**TO_KAFKA, "on_gap": "continue"}})
    assert _checksum(one) != _checksum(other)
    assert _checksum(one) == _checksum(render(EVERYTHING["defaults"]))


def test_pods_start_and_stop_side_by_side() -> None:
    """One that cannot start, for its configuration is wrong, does not keep the others from being put right."""
    assert rendered("defaults").only("StatefulSet")["spec"]["podManagementPolicy"] == "Parallel"


@pytest.mark.parametrize("case", ["secrets"])
def test_secrets_are_named_and_nowhere_written(case: str) -> None:
    """Their values come into the pod from the Secret itself."""
    found = rendered(case)
    assert not found.every("Secret")
    assert "${KAFKA_PASSWORD}" in found.configuration
    assert "${KMBRIDGE_HTTP_TOKEN}" in found.configuration
    environment = {each["name"]: each["valueFrom"] for each in _environment(case)}
    assert environment["KAFKA_PASSWORD"] == {"secretKeyRef": {"name": "kafka-login", "key": "password"}}
    assert environment["KMBRIDGE_HTTP_TOKEN"] == {"secretKeyRef": {"name": "page", "key": "token"}}
    assert found.container["envFrom"] == [{"secretRef": {"name": "more"}}]
    (monitored,) = found.only("ServiceMonitor")["spec"]["endpoints"]
    assert monitored["authorization"]["credentials"] == {"name": "page", "key": "token"}


@pytest.mark.parametrize("key", ["sasl.password", "ssl.key.password", "sasl.oauthbearer.client.secret", "ssl.key.pem"])
@pytest.mark.parametrize("value", ["hunter2", "${PASSWORD:-hunter2}"])
def test_a_secret_in_plain_text_is_refused(key: str, value: str) -> None:
    """It would be readable by all who may read a ConfigMap. The message names the key and not the value."""
    sink = {"kafka": {**mirrors.TOPIC["kafka"], "librdkafka": {key: value}}}
    with pytest.raises(RefusedValuesError) as told:
        render({"config": {**TO_KAFKA, "sink": sink}})
    assert f"config.sink.kafka.librdkafka.{key}" in str(told.value)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (mirrors.BETWEEN_STREAMS, "orders-copy (checkpoints: auto) is for one worker"),
        ({**TO_KAFKA, "checkpoints": "memory"}, "orders (checkpoints: memory) is for one worker"),
        ({**TO_KAFKA, "checkpoints": {"sqlite": {"path": "o.db"}}}, "orders (checkpoints: sqlite) is for one worker"),
        ({**TO_KAFKA, "checkpoints": {"dynamodb": {"table": "kmb"}}}, "(checkpoints: dynamodb) is for one worker"),
        ({**TO_KAFKA, "dead_letter": {"file": {"path": "o.jsonl"}}}, "use a topic or a stream"),
        ({"mirrors": [TO_KAFKA, mirrors.BETWEEN_STREAMS]}, "orders-copy (checkpoints: auto) is for one worker"),
        (
            {"mirrors": [{**TO_KAFKA, "name": None, "checkpoints": "memory"}]},
            "replicas: orders (checkpoints: memory) is for one worker",
        ),
        (
            {"defaults": {"sink": mirrors.TOPIC}, "mirrors": [TO_KAFKA, mirrors.BETWEEN_STREAMS]},
            "orders-copy (checkpoints: auto) is for one worker",
        ),
    ],
)
@pytest.mark.parametrize("many", [{"replicas": 2}, {"autoscaling": {"kind": "hpa"}, "replicas": 1}])
def test_what_one_worker_alone_can_do_is_not_given_to_several(config: Any, told: str, many: Any) -> None:
    """Each pod would mirror everything for itself, or end with an error."""
    with pytest.raises(RefusedValuesError) as error:
        render({"config": config, **many})
    assert told in str(error.value)


@pytest.mark.parametrize("case", ["sqlite", "backfill into a file of checkpoints"])
def test_checkpoints_in_a_file_outlive_the_pod_and_the_release(case: str, tmp_path: Path) -> None:
    """The mirror and its backfill find them in the same place."""
    found = rendered(case)
    claim = found.only("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    state = {"name": "state", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
    assert state in found.pod["volumes"]
    (mount,) = [each for each in found.container["volumeMounts"] if each["name"] == "state"]
    assert mount["mountPath"] == found.container["workingDir"]


def test_nothing_is_kept_on_a_volume_where_no_file_has_to_outlive_the_pod() -> None:
    """Checkpoints are in Kafka, and a pod can go to any node."""
    assert not rendered("defaults").every("PersistentVolumeClaim")


def test_a_backfill_is_tried_again_until_it_is_complete_but_not_with_a_mistake_in_its_configuration() -> None:
    """Every attempt goes on where the last one ended; exit code 2 comes again with each."""
    found = rendered("backfill")
    job = found.only("Job")["spec"]
    assert job["backoffLimit"] == 10
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2]
    assert found.pod["restartPolicy"] == "Never"
    assert not found.every("StatefulSet")
    assert list(found.container["args"]) == [
        "backfill",
        "/etc/kmbridge/mirror.yaml",
        *("--from", "trim_horizon"),
        *("--until", "now"),
        *("--set", "workers.instance=null"),
    ]


def test_another_range_is_another_job() -> None:
    """A Job cannot be changed once it is there."""
    other = render({"config": TO_KAFKA, "mode": "backfill", "backfill": {"until": ["2026-01-31T12:00:00Z"]}})
    names = {each.only("Job")["metadata"]["name"] for each in (rendered("backfill"), other)}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)


def test_nobody_reaches_a_pod_but_who_scrapes_it_and_it_reaches_nobody_but_who_it_works_with() -> None:
    """The brokers' ports are those of the configuration."""
    alone = rendered("defaults").only("NetworkPolicy")["spec"]
    assert alone["policyTypes"] == ["Ingress", "Egress"]
    assert alone["ingress"] == []
    assert _ports(alone) == [{53}, {443}, {9098}]
    scraped = rendered("everything else").only("NetworkPolicy")["spec"]
    (rule,) = scraped["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "http"}]
    assert _ports(scraped) == [{53}, {443}, {14001, 9098}, {80}]
    assert _ports(rendered("sqlite").only("NetworkPolicy")["spec"]) == [{53}, {443}]


MSK = {"msk_cluster_arn": "arn:aws:kafka:eu-west-1:000000000000:cluster/orders/ID", "topic": "orders"}


@pytest.mark.parametrize(
    ("end", "ports"),
    [
        ({"bootstrap_servers": "b-1.example:9092,b-2.example:19092", "topic": "orders"}, {9092, 19092}),
        ({"bootstrap_servers": ["[::1]:9092"], "topic": "orders"}, {9092}),
        (MSK, {9092, 9094, 9096, 9098}),
        ({**MSK, "msk_connectivity": "public"}, {9092, 9094, 9096, 9098, 9194, 9196, 9198}),
    ],
)
def test_a_pod_reaches_its_brokers_however_they_are_named(end: Any, ports: set[int]) -> None:
    """As text with commas, by the ARN of a cluster of MSK, and by both side by side."""
    alone = render({"config": {**TO_KAFKA, "sink": {"kafka": end}}}).only("NetworkPolicy")["spec"]
    assert _ports(alone)[2] == ports
    both = render({"config": {**TO_KAFKA, "source": mirrors.TOPIC, "sink": {"kafka": end}}}).only("NetworkPolicy")
    assert _ports(both["spec"])[2] == {9098, *ports}


def test_the_role_of_the_pods_is_that_of_their_service_account() -> None:
    """By which EKS gives them credentials that end by themselves."""
    account = rendered("everything else").only("ServiceAccount")
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].endswith(":role/kmbridge")
    assert rendered("everything else").pod["serviceAccountName"] == account["metadata"]["name"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"config": {}},
        {"config": {"name": "orders"}},
        {"config": {**TO_KAFKA, "http": {"listen": "127.0.0.1:1"}}},
        {"config": TO_KAFKA, "replica": 3},
        {"config": TO_KAFKA, "autoscaling": {"kind": "both"}},
        {"config": TO_KAFKA, "terminationGracePeriodSeconds": 10},
        {"config": TO_KAFKA, "secrets": {"env": {"PASSWORD": "hunter2"}}},
        {"config": TO_KAFKA, "image": {"tagg": "1"}},
    ],
)
def test_values_that_mean_nothing_are_refused(values: Any) -> None:
    """A misspelled key is not passed over in silence."""
    with pytest.raises(RefusedValuesError, match="values don't meet the specifications"):
        render(values)


def test_numbers_stay_what_they_are() -> None:
    """Helm is known to write large ones as 1e+06."""
    found = render({"config": {**TO_KAFKA, "limits": {"bytes_per_second": 5_000_000, "memory": 1_073_741_824}}})
    assert yaml.safe_load(found.configuration)["limits"] == {"bytes_per_second": 5_000_000, "memory": 1_073_741_824}


def test_the_chart_is_of_this_version() -> None:
    """The image that it names when nothing else is said is the one that it was tested with."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == version("kmbridge")


def test_what_is_told_after_an_installation_names_what_is_still_open() -> None:
    """And how to look at the mirror."""
    assert "port-forward orders-kmbridge-0 8080" in rendered("defaults").notes
    assert "http.token.secret" in rendered("defaults").notes
    assert "http.token.secret" not in rendered("secrets").notes
    assert "mode=run" in rendered("backfill").notes


def _environment(case: str) -> list[dict[str, Any]]:
    return list(rendered(case).container["env"])


def _checksum(found: Rendered) -> object:
    return found.only("StatefulSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


def _ports(policy: Any) -> list[set[int]]:
    return [{each["port"] for each in rule["ports"]} for rule in policy["egress"]]
