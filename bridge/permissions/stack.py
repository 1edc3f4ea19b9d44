"""The policies of all pairs as one template of CloudFormation, which makes the one that is asked for."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.permissions.places import ACCOUNT, CLUSTER, REGION
from bridge.permissions.tasks import Task, needed
from bridge.permissions.templates import PAIRS

_KNOWN = {"arn:aws:": "arn:${AWS::Partition}:", f":{REGION}:": ":${AWS::Region}:", ACCOUNT: "${AWS::AccountId}"}
_PARAMETERS = {
    "NAME": ("Name", "The mirror's name, as in its configuration."),
    f"OTHER_{CLUSTER}": ("OtherCluster", "Name and id of the source's cluster, between two: what follows cluster/."),
    "OTHER_STREAM": ("OtherStream", "The stream that is written, between two streams."),
    "OTHER_TOPIC": ("OtherTopic", "The topic that is read, between two topics."),
    CLUSTER: ("Cluster", "Name and id of the MSK cluster: what follows cluster/ in its ARN."),
    "STREAM": ("Stream", "The stream's name."),
    "TOPIC": ("Topic", "The topic's name."),
    "TABLE": ("Table", "The checkpoint table's name."),
}
"""By what stands for them in a policy, longer ones first."""


def stack() -> str:
    """The template, as JSON."""
    return f"{json.dumps(_document(), indent=2)}\n"


def _document() -> Mapping[str, Any]:
    pairs = {_logical(name): name for name in PAIRS}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What a mirror of kmbridge is allowed: the policy of deploy/iam for its pair and mode.",
        "Parameters": {
            "Pair": {"Type": "String", "AllowedValues": list(PAIRS)},
            **{name: _parameter(told) for name, told in _PARAMETERS.values()},
        },
        "Conditions": {logical: {"Fn::Equals": [{"Ref": "Pair"}, name]} for logical, name in pairs.items()},
        "Resources": {f"{logical}Policy": _resource(logical, name) for logical, name in pairs.items()},
        "Outputs": {
            "PolicyArn": {"Description": "PolicyArn of service.yaml.", "Value": _chosen(iter(pairs))},
        },
    }


def _parameter(told: str) -> Mapping[str, Any]:
    return {"Type": "String", "Description": told, "Default": "none"}


def _resource(logical: str, name: str) -> Mapping[str, Any]:
    statements = [_parametrised(each) for each in needed(PAIRS[name], [Task.RUN]).document()["Statement"]]
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Condition": logical,
        "Properties": {
            "Description": {"Fn::Sub": f"kmbridge ${{Name}}: {name}"},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        },
    }


def _parametrised(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _parametrised(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_parametrised(each) for each in value]
    return {"Fn::Sub": _put(value)} if value.startswith("arn:") else value


def _put(text: str) -> str:
    for known, variable in _KNOWN.items():
        text = text.replace(known, variable)
    for placeholder, (name, _) in _PARAMETERS.items():
        text = text.replace(placeholder, f"${{{name}}}")
    return text


def _chosen(names: Iterator[str]) -> Mapping[str, Any]:
    """The one whose condition holds; the last where none does."""
    name = next(names)
    own = {"Ref": f"{name}Policy"}
    try:
        return {"Fn::If": [name, own, _chosen(names)]}
    except StopIteration:
        return own


def _logical(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
