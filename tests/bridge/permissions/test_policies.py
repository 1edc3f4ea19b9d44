"""The policies that are handed out allow what the code calls, and nothing beside it."""

import json
import re
from functools import cache
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from cfnlint.api import lint_all

from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.permissions import Policy, Surroundings, Task, policy_for
from bridge.permissions.__main__ import files
from bridge.permissions.templates import PAIRS, templates
from tests.bridge.permissions.called import methods, operations
from tests.deploy import mirrors

DEPLOY = Path(__file__).parents[3] / "deploy"
LARGEST = 6_144
"""Characters of a managed policy, spaces not counted."""

IN_A_TRANSACTION = "dynamodb:TransactWriteItems"
"""Is no action of IAM: each write in a transaction needs its own right."""
NOT_CALLED_BY_NAME = {
    "dynamodb:DeleteItem": "a removal, in a transaction",
    "dynamodb:TagResource": "tags that a table is made with",
}
FOR_ALL = {
    "kafka:GetBootstrapBrokers": "cannot be allowed for one cluster alone",
    "glue:GetSchemaVersion": "is asked by an id alone; awslabs/aws-glue-schema-registry#68",
    "kinesis:ListStreams": "names all streams, for a pattern to pick from",
    "lambda:ListEventSourceMappings": "is asked about no function in particular",
    "firehose:ListDeliveryStreams": "is asked about no stream in particular",
    "cloudwatch:GetMetricStatistics": "knows no narrower resource",
    "pricing:GetProducts": "prices are the same for all",
}
OTHERWISE_NAMED = {"lambda:InvokeFunction": "Invoke"}
"""Actions whose operation has another name."""
ASKED_BY_CLIENTS = ("kafka:", "secretsmanager:", "lambda:", "firehose:", "cloudwatch:", "pricing:")
"""Services whose operations stand in the code as methods of botocore's clients."""

every_template = pytest.mark.parametrize("name", templates())


def test_the_files_are_those_of_the_table() -> None:
    """Written by ``python -m bridge.permissions deploy``; none is left over."""
    made = {DEPLOY / place: text for place, text in files()}
    assert {file: file.read_text() for file in made} == made
    assert {*(DEPLOY / "iam").glob("*.json")} <= made.keys()


def test_every_action_and_resource_is_one_that_aws_knows() -> None:
    """A misspelled one would be taken, and allow nothing; so would one on a resource of another kind."""
    resources = {
        f"Policy{index}": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy.document()}}
        for index, policy in enumerate(templates().values())
    }
    found = lint_all(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
    assert [str(each) for each in found if not each.rule.id.startswith("I")] == []


@every_template
def test_each_resource_is_of_a_kind_that_each_of_its_actions_is_for(name: str) -> None:
    """By AWS's own list of actions; a right on another kind of thing would be taken too, and allow nothing."""
    for statement in templates()[name].statements:
        for action in statement.actions:
            formats = ["[*]"] if action in FOR_ALL else _formats(action) or ["[*]"]
            wrong = [each for each in statement.resources if not any(re.fullmatch(known, each) for known in formats)]
            assert not wrong, action


@every_template
def test_a_policy_is_one_that_iam_takes(name: str) -> None:
    """Each purpose is said once, and it is no longer than it may be."""
    document = templates()[name].document()
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    assert len(json.dumps(document, separators=(",", ":"))) <= LARGEST


@every_template
def test_no_policy_allows_more_than_is_named(name: str) -> None:
    """No action by a pattern, and no resource that is everything, but where AWS knows no other."""
    for statement in templates()[name].statements:
        assert not any("*" in action for action in statement.actions)
        if "*" in statement.resources:
            assert statement.actions <= FOR_ALL.keys()


def test_every_operation_in_the_code_is_allowed_by_the_table() -> None:
    """A call that is added has to be added there too."""
    allowed = frozenset[str]().union(*(policy.actions for policy in templates().values()))
    assert operations() - {IN_A_TRANSACTION} <= allowed
    assert methods() <= {_method(action) for action in allowed if action.startswith(ASKED_BY_CLIENTS)}


def test_nothing_is_allowed_that_no_code_calls() -> None:
    """What Kinesis, DynamoDB and Glue are asked is named in the code; the exceptions have a reason each."""
    allowed = {
        action
        for policy in templates().values()
        for action in policy.actions
        if action.startswith(("kinesis:", "dynamodb:", "glue:"))
    }
    assert allowed - operations() == NOT_CALLED_BY_NAME.keys()
    asked = {action for policy in templates().values() for action in policy.actions}
    assert {_method(action) for action in asked if action.startswith(ASKED_BY_CLIENTS)} <= methods()


def test_a_mirror_may_not_change_what_it_reads() -> None:
    """Neither its source, nor the tables and groups of who else reads it."""
    for name, parts in PAIRS.items():
        for statement in templates()[name].statements:
            if parts.source.arn in statement.resources:
                assert not statement.actions & {"kinesis:PutRecords", "kafka-cluster:WriteData"}
    assert not any("dynamodb:" in action for action in templates()["kinesis-to-kafka-exactly-once"].actions)


def test_transactions_are_allowed_where_records_are_written_in_them_and_idempotence_where_they_are_not() -> None:
    """MSK asks for the one or the other."""
    once, least = templates()["kinesis-to-kafka-exactly-once"], templates()["kinesis-to-kafka-at-least-once"]
    assert "kafka-cluster:WriteDataIdempotently" not in once.actions
    assert "kafka-cluster:WriteDataIdempotently" in least.actions
    assert "kafka-cluster:AlterTransactionalId" in once.actions


CLUSTER = "arn:aws:kafka:eu-west-1:000000000001:cluster/events/12-3"
BY_ARN = {"msk_cluster_arn": CLUSTER, "topic": "orders", "auth": {"iam": {}}}


def test_the_policy_of_a_configuration_names_its_own_things() -> None:
    """Stream, topic, table and groups; what a configuration cannot tell is given beside it."""
    policy = _policy(
        {
            **mirrors.TO_KAFKA,
            "sink": {"kafka": BY_ARN},
            "dead_letter": {"kafka": {"topic": "orders-rejected"}},
            "on_error": "dead_letter",
        },
        Surroundings(account="000000000001"),
    )
    cluster = "arn:aws:kafka:eu-west-1:000000000001"
    assert _resources(policy, "kinesis:GetRecords") == {"arn:aws:kinesis:eu-west-1:000000000001:stream/orders"}
    assert _resources(policy, "kafka-cluster:WriteData") == {
        f"{cluster}:topic/events/12-3/orders",
        f"{cluster}:topic/events/12-3/orders-rejected",
        f"{cluster}:topic/events/12-3/kmbridge-checkpoints",
    }
    assert _resources(policy, "kafka-cluster:AlterGroup") == {f"{cluster}:group/events/12-3/kmbridge-orders"}
    assert _resources(policy, "kafka-cluster:Connect") == {CLUSTER}
    assert _resources(policy, "kafka:GetBootstrapBrokers") == {"*"}


def test_a_cluster_that_is_named_by_its_brokers_is_the_one_that_is_told_beside_the_configuration() -> None:
    """Its region is in the brokers' names."""
    end = {"bootstrap_servers": ["b-1.kafka.eu-west-2.amazonaws.com:9098"], "topic": "orders", "auth": {"iam": {}}}
    policy = _policy({**mirrors.TO_KAFKA, "sink": {"kafka": end}}, Surroundings(cluster="events/1"))
    assert _resources(policy, "kafka-cluster:Connect") == {"arn:aws:kafka:eu-west-2:000000000000:cluster/events/1"}
    assert not _resources(policy, "kafka:GetBootstrapBrokers")


def test_where_acls_say_what_may_be_done_the_policy_says_nothing_of_it() -> None:
    """But who we are there may be a secret to read, with the key that it has."""
    secret = "arn:aws:secretsmanager:eu-west-1:000000000001:secret:AmazonMSK_orders"
    end = {**BY_ARN, "auth": {"scram": {"secret_arn": secret}}}
    policy = _policy({**mirrors.TO_KAFKA, "sink": {"kafka": end}}, Surroundings())
    assert not [action for action in policy.actions if action.startswith("kafka-cluster:")]
    assert _resources(policy, "secretsmanager:GetSecretValue") == {secret}
    (decrypt,) = [each for each in policy.statements if each.sid == "DecryptLogin"]
    assert decrypt.condition == "kms:EncryptionContext:SecretARN"
    assert decrypt.values == {secret}


def test_a_role_that_is_assumed_has_to_be_allowed_to_be() -> None:
    """Of a stream and of a cluster."""
    roles = [f"arn:aws:iam::000000000002:role/{name}" for name in ("stream", "cluster")]
    policy = _policy(
        {
            **mirrors.TO_KAFKA,
            "source": {"kinesis": {**mirrors.STREAM["kinesis"], "assume_role_arn": roles[0]}},
            "sink": {"kafka": {**BY_ARN, "auth": {"iam": {"assume_role_arn": roles[1]}}}},
        },
        Surroundings(),
    )
    assert _resources(policy, "sts:AssumeRole") == set(roles)


def test_the_stream_of_another_account_is_named_by_its_arn() -> None:
    """Its key is of that account too."""
    stream = "arn:aws:kinesis:eu-west-2:000000000002:stream/orders"
    policy = _policy({**mirrors.TO_KAFKA, "source": {"kinesis": {"stream": stream}}}, Surroundings())
    assert _resources(policy, "kinesis:GetRecords") == {stream}
    assert _resources(policy, "kms:Decrypt") == {"arn:aws:kms:eu-west-2:000000000002:key/*"}


def test_checkpoints_in_a_table_need_the_table_and_no_topic() -> None:
    """And a reset of them a right that a mirror does without."""
    asked = {**mirrors.TO_KAFKA, "checkpoints": {"dynamodb": {"table": "places", "region": "eu-west-3"}}}
    policy = _policy(asked, Surroundings())
    table = "arn:aws:dynamodb:eu-west-3:000000000000:table/places"
    assert _resources(policy, "dynamodb:PutItem") == {table}
    assert not _resources(policy, "dynamodb:DeleteItem")
    assert not _resources(policy, "kafka-cluster:ReadData")
    assert _resources(_policy(asked, Surroundings(), Task.RESET), "dynamodb:DeleteItem") == {table}


def test_a_migration_may_move_the_consumers_that_it_names_and_no_others() -> None:
    """Their lease table and their group."""
    consumers = [{"application": "orders-app", "group": "orders"}]
    asked = {**mirrors.TO_KAFKA, "sink": {"kafka": BY_ARN}, "cutover": {"consumers": consumers}}
    policy = _policy(asked, Surroundings(), Task.CUTOVER)
    assert _resources(policy, "dynamodb:Scan") == {"arn:aws:dynamodb:eu-west-1:000000000000:table/orders-app"}
    groups = {resource.rpartition("/")[2] for resource in _resources(policy, "kafka-cluster:AlterGroup")}
    assert groups == {"orders", "kmbridge-orders"}


def test_functions_that_transform_records_may_be_called_and_no_others() -> None:
    """Under the name, and in the region and account, that each is configured with."""
    functions = ["cleaner:live", "arn:aws:lambda:eu-west-2:000000000002:function:other"]
    asked = {**mirrors.TO_KAFKA, "transforms": [{"lambda": {"function": each}} for each in functions]}
    around = Surroundings(region="eu-west-1", account="000000000001")
    expected = {"arn:aws:lambda:eu-west-1:000000000001:function:cleaner:live", functions[1]}
    for task in (Task.RUN, Task.VERIFY, Task.CUTOVER, Task.DOCTOR):
        assert _resources(_policy(asked, around, task), "lambda:InvokeFunction") == expected
    assert not _resources(_policy(asked, around, Task.TRANSLATE), "lambda:InvokeFunction")


def _method(action: str) -> str:
    operation = OTHERWISE_NAMED.get(action, action.partition(":")[2])
    return str(xform_name(operation))


def _formats(action: str) -> list[str]:
    """Of the ARNs that an action can be allowed on; none where it is allowed on all or on nothing."""
    service, _, operation = action.partition(":")
    known = _known()[service]
    kinds = known["Actions"][operation.lower()].get("Resources", [])
    formats = [text for kind in kinds for text in known["Resources"][kind.lower()]["ARNFormats"]]
    return [re.sub(r"\$\{\w+\}", "[^:]*", text) for text in formats]


@cache
def _known() -> Any:
    return json.loads((files_of("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").read_text())


def _policy(asked: Any, around: Surroundings, task: Task = Task.RUN) -> Policy:
    return policy_for(validate(Document(dict(asked))), [task], around)


def _resources(policy: Policy, action: str) -> set[str]:
    found = [statement.resources for statement in policy.statements if action in statement.actions]
    return set().union(*found)
