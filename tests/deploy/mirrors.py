"""Configurations as people would give them to the chart."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

STREAM = {"kinesis": {"stream": "orders", "region": "eu-west-1"}}
OTHER_STREAM = {"kinesis": {"stream": "orders-copy", "region": "eu-west-1"}}
TOPIC = {"kafka": {"bootstrap_servers": ["b-1.example:9098", "b-2.example:9098"], "topic": "orders"}}

TO_KAFKA = {"name": "orders", "source": STREAM, "sink": TOPIC}
TO_KINESIS = {"name": "orders-back", "source": TOPIC, "sink": STREAM}
BETWEEN_STREAMS = {"name": "orders-copy", "source": STREAM, "sink": OTHER_STREAM}
SEVERAL = {
    "defaults": {"source": STREAM, "sink": TOPIC, "workers": {"session_timeout": "30s"}},
    "mirrors": [
        {"name": "orders"},
        {"name": "payments", "source": {"kinesis": {"stream": "payments"}}, "sink": {"kafka": {"topic": "payments"}}},
    ],
}
WITH_PASSWORD = {
    **TO_KAFKA,
    "sink": {
        "kafka": {
            **TOPIC["kafka"],
            "librdkafka": {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": "mirror",
                "sasl.password": "${KAFKA_PASSWORD}",
            },
        }
    },
}
PASSWORD = {"env": {"KAFKA_PASSWORD": {"secret": "kafka-login", "key": "password"}}}

EVERYTHING: dict[str, Values] = {
    "defaults": {"config": TO_KAFKA},
    "exactly once, three pods": {
        "config": {**TO_KAFKA, "sink": {"kafka": {**TOPIC["kafka"], "delivery": "exactly_once"}}},
        "replicas": 3,
        "extraArgs": ["--workers", "auto"],
    },
    "from Kafka": {"config": TO_KINESIS},
    "sqlite": {"config": BETWEEN_STREAMS, "replicas": 1, "persistence": {"storageClassName": "gp3"}},
    "several mirrors": {"config": SEVERAL},
    "secrets": {
        "config": WITH_PASSWORD,
        "secrets": {**PASSWORD, "envFrom": ["more"], "csi": {"secretProviderClass": "certificates"}},
        "http": {"token": {"secret": "page", "key": "token"}},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "keda": {
        "config": TO_KAFKA,
        "autoscaling": {"kind": "keda", "prometheus": "http://prometheus:9090", "authenticationRef": "prometheus"},
    },
    "keda by Kafka": {"config": TO_KINESIS, "autoscaling": {"kind": "keda", "kafkaLag": {"records": 50_000}}},
    "hpa": {"config": SEVERAL, "autoscaling": {"kind": "hpa", "minReplicas": 1, "maxReplicas": 4}},
    "backfill": {"config": TO_KAFKA, "mode": "backfill", "backfill": {"from": ["trim_horizon"]}},
    "backfill into a file of checkpoints": {"config": BETWEEN_STREAMS, "mode": "backfill", "replicas": 1},
    "everything else": {
        "config": TO_KAFKA,
        "image": {"repository": "registry.example/kmbridge", "digest": f"sha256:{'0' * 64}", "pullSecrets": ["pull"]},
        "fullnameOverride": "mirror",
        "serviceAccount": {
            "roleArn": "arn:aws:iam::000000000000:role/kmbridge",
            "annotations": {"eks.amazonaws.com/sts-regional-endpoints": "true"},
        },
        "podAnnotations": {"team": "orders"},
        "podLabels": {"team": "orders"},
        "topologySpreadConstraints": [],
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "streaming", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "high",
        "extraEnv": [{"name": "AWS_REGION", "value": "eu-west-1"}],
        "extraVolumes": [{"name": "trust", "configMap": {"name": "trust"}}],
        "extraVolumeMounts": [{"name": "trust", "mountPath": "/etc/trust"}],
        "networkPolicy": {
            "scrapeFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "brokers": {"cidrs": ["10.0.0.0/8"], "ports": [14001]},
            "extraEgress": [
                {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"protocol": "TCP", "port": 80}]}
            ],
        },
    },
}
