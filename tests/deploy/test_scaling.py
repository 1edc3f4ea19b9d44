"""More workers while a mirror lags, fewer when it does not: what the recipes of docs/scaling.md rest on."""

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.permissions import Surroundings, parts_of
from bridge.telemetry import names
from bridge.telemetry.emf.document import Frame, documents
from tests.deploy import mirrors
from tests.deploy.mirrors import TO_KAFKA, TO_KINESIS
from tests.deploy.test_chart import rendered
from tests.deploy.test_stacks import GIVEN
from tests.support.chart import RefusedValuesError, render
from tests.support.promql import names_in
from tests.support.stack import Stack

BETWEEN_TOPICS = {
    "name": "orders-copy",
    "source": mirrors.TOPIC,
    "sink": {"kafka": {"bootstrap_servers": ["c-1.example:9098"], "topic": "orders-copy"}},
}
IN_A_TOPIC = {**TO_KINESIS, "checkpoints": {"kafka": {"topic": "places", "bootstrap_servers": ["c-1.example:9098"]}}}


def test_lag_makes_pods_by_keda_or_by_an_autoscaler_and_never_by_both() -> None:
    """And where one of them does, the chart does not say how many there are."""
    keda, hpa, none = rendered("keda"), rendered("hpa"), rendered("defaults")
    assert "replicas" not in keda.only("StatefulSet")["spec"]
    assert "replicas" not in hpa.only("StatefulSet")["spec"]
    assert none.only("StatefulSet")["spec"]["replicas"] == 2
    assert [len(each.every("ScaledObject")) for each in (keda, hpa, none)] == [1, 0, 0]
    assert [len(each.every("HorizontalPodAutoscaler")) for each in (keda, hpa, none)] == [0, 1, 0]


def test_the_lag_that_is_scaled_on_is_the_one_that_is_told() -> None:
    """Of the mirror as a whole: a pod's average would say that half of it is enough for two."""
    scaled = rendered("keda").only("ScaledObject")["spec"]
    (trigger,) = scaled["triggers"]
    assert trigger["metricType"] == "Value"
    assert trigger["metadata"]["query"] == 'max(kmbridge_lag_seconds{namespace="streaming", mirror=~"orders"})'
    assert scaled["minReplicaCount"] >= 1
    metrics = rendered("hpa").only("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert [each["external"]["metric"]["selector"]["matchLabels"]["mirror"] for each in metrics] == [
        "orders",
        "payments",
    ]


def test_keda_is_told_whom_to_ask() -> None:
    """Left out, nothing would ever scale."""
    with pytest.raises(RefusedValuesError, match=r"autoscaling\.prometheus"):
        render({"config": TO_KAFKA, "autoscaling": {"kind": "keda"}})


@pytest.mark.parametrize("config", [TO_KINESIS, IN_A_TOPIC, BETWEEN_TOPICS], ids=["group", "topic", "between topics"])
def test_the_group_that_is_scaled_on_is_the_one_that_shows_how_far_the_mirror_is(config: Mapping[str, Any]) -> None:
    """Its own where its offsets are the checkpoints, else the one in which they are shown; the policy names it too."""
    scaling = {"kind": "keda", "kafkaLag": {"records": 50_000, "authenticationRef": "brokers"}}
    (trigger,) = render({"config": config, "autoscaling": scaling}).only("ScaledObject")["spec"]["triggers"]
    parts = parts_of(validate(Document(dict(config))), Surroundings())
    group = parts.group if parts.checkpoints_in_group else parts.shown_group
    assert trigger == {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": ",".join(config["source"]["kafka"]["bootstrap_servers"]),
            "consumerGroup": group,
            "topic": config["source"]["kafka"]["topic"],
            "lagThreshold": "50000",
            "offsetResetPolicy": "earliest",
        },
        "authenticationRef": {"name": "brokers"},
    }


def test_lag_in_seconds_and_in_records_go_together() -> None:
    """The higher answer counts, so a trigger of each is what such values mean."""
    scaling = {"kind": "keda", "prometheus": "http://prometheus:9090", "kafkaLag": {"records": 1}}
    triggers = render({"config": TO_KINESIS, "autoscaling": scaling}).only("ScaledObject")["spec"]["triggers"]
    assert [each["type"] for each in triggers] == ["prometheus", "kafka"]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (TO_KAFKA, "no source is a topic"),
        (
            {
                **TO_KINESIS,
                "source": {
                    "kafka": {
                        "msk_cluster_arn": "arn:aws:kafka:eu-west-1:000000000000:cluster/events/1",
                        "topic": "orders",
                        "auth": {"iam": {}},
                    }
                },
            },
            r"autoscaling\.kafkaLag\.bootstrapServers",
        ),
    ],
    ids=["stream", "ARN"],
)
def test_lag_in_records_is_refused_where_nobody_could_tell_it(config: Any, told: str) -> None:
    """A trigger that never answers would never scale."""
    with pytest.raises(RefusedValuesError, match=told):
        render({"config": config, "autoscaling": {"kind": "keda", "kafkaLag": {"records": 1}}})


def test_pods_stay_as_many_as_there_are_while_the_lag_is_not_known() -> None:
    """An autoscaler leaves a number alone that it cannot judge. A fallback KEDA takes for averages alone."""
    for case in ("keda", "keda by Kafka"):
        assert "fallback" not in rendered(case).only("ScaledObject")["spec"]


def test_the_query_names_a_metric_that_is_scraped() -> None:
    """Prometheus adds the namespace; all else is the mirror's own."""
    (trigger,) = rendered("keda").only("ScaledObject")["spec"]["triggers"]
    ((metric, labels),) = names_in(trigger["metadata"]["query"]).selectors
    assert metric == names.LAG_SECONDS.name
    assert labels - {"namespace"} <= {"mirror", *names.LAG_SECONDS.labels}


def test_the_metric_that_tasks_follow_is_one_that_the_mirror_tells_cloudwatch() -> None:
    """In the same namespace, under the same dimensions: a target that has no metric never scales."""
    made = Stack("service.yaml", {**GIVEN, "MaximumCount": 8})
    asked = made.properties("ScaleOnLag")["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    command = made.container("RunTask", "kmbridge")["Command"]
    (namespace,) = [each.partition("=")[2] for each in command if each.startswith("telemetry.emf.namespace=")]
    frame = Frame(namespace, "orders", {}, per_partition=False)
    samples = [
        (names.LAG_SECONDS, ("shardId-000000000000",), 90.0),
        (names.LAG_SECONDS, ("shardId-000000000001",), 2.0),
    ]
    (told,) = [each for each in documents(frame, 0, samples, ()) if names.LAG_SECONDS.name in each]
    directives: Any = told["_aws"]
    (directive,) = directives["CloudWatchMetrics"]
    assert directive["Namespace"] == asked["Namespace"]
    assert [{each["Name"] for each in asked["Dimensions"]}] == [set(each) for each in directive["Dimensions"]]
    assert told["mirror"] == asked["Dimensions"][0]["Value"]
    assert asked["MetricName"] in {each["Name"] for each in directive["Metrics"]}
    # The partition that is farthest behind is the one that counts.
    assert (asked["Statistic"], told[asked["MetricName"]]) == ("Maximum", [90.0, 2.0])


def test_workers_come_faster_than_they_go() -> None:
    """On both: one that goes too soon comes again, and each time slots move."""
    behavior = rendered("keda").only("ScaledObject")["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 600
    made = Stack("service.yaml", {**GIVEN, "MaximumCount": 8})
    scaling = made.properties("ScaleOnLag")["TargetTrackingScalingPolicyConfiguration"]
    assert scaling["ScaleInCooldown"] > scaling["ScaleOutCooldown"]
