"""What a redrive makes of the mirror's configuration."""

from pathlib import Path

import pytest

from bridge.config import load
from bridge.jobs.redrive_request import own_configuration

ARN = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/01234567-89ab-cdef-0123-456789abcdef-1"
CLUSTERS = ["bootstrap_servers: [b-1:9098]", f"msk_cluster_arn: '{ARN}', msk_connectivity: public, auth: {{iam: {{}}}}"]


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("is_sink", [True, False])
def test_letters_in_a_topic_are_read_where_the_mirror_s_end_is(tmp_path: Path, cluster: str, *, is_sink: bool) -> None:
    """Its cluster is named and entered as that of the end beside which they are, on whichever side that is."""
    ends = ["kinesis: {stream: orders, region: eu-west-1}", f"kafka: {{{cluster}, topic: orders}}"]
    source, sink = ends if is_sink else reversed(ends)
    file = tmp_path / "orders.yaml"
    file.write_text(
        f"name: orders\nsource: {{{source}}}\nsink: {{{sink}}}\n"
        "on_error: dead_letter\ndead_letter: {kafka: {topic: rejected}}\n"
    )
    mirror = load([str(file)], environment={})
    letters = own_configuration(mirror).source.kafka
    assert letters is not None
    assert letters.topic == "rejected"
    assert mirror.kafka_end is not None
    assert (letters.names, letters.auth) == (mirror.kafka_end.names, mirror.kafka_end.auth)
    assert letters.msk_connectivity == mirror.kafka_end.msk_connectivity


def test_letters_in_a_file_need_no_subscription_of_the_source_around_them(tmp_path: Path) -> None:
    """It would be registered, and cost, for nothing."""
    file = tmp_path / "orders.yaml"
    file.write_text(
        "name: orders\nsource: {kinesis: {stream: orders, region: eu-west-1, read: fan_out}}\n"
        "sink: {kafka: {bootstrap_servers: [b-1:9098], topic: orders}}\n"
        "on_error: dead_letter\ndead_letter: {file: {path: rejected.jsonl}}\n"
    )
    mirror = load([str(file)], environment={})
    assert mirror.fan_out_consumer == "kmbridge-orders"
    assert own_configuration(mirror).fan_out_consumer is None
