"""Templates of CloudFormation with their parameters filled in."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "ecs"
PSEUDO = {"AWS::Region": "eu-west-1", "AWS::AccountId": "000000000000", "AWS::Partition": "aws"}
_NOTHING = "AWS::NoValue"
_SHORT = ("Ref", "Condition")


class _Loader(yaml.SafeLoader):
    """Understands the short forms of intrinsic functions."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> Mapping[str, Any]:
    name = suffix if suffix in _SHORT else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise ValueError(f"!{suffix} of a mapping")


_Loader.add_multi_constructor("!", _function)


def template(name: str) -> Mapping[str, Any]:
    """A file of ``deploy/ecs`` as it stands, functions in their long form."""
    text = (FOLDER / name).read_text()
    found: Mapping[str, Any] = json.loads(text) if name.endswith("json") else yaml.load(text, _Loader)
    return found


class Stack:
    """What a template makes with ``parameters``, the others as they are by default."""

    def __init__(self, name: str, parameters: Mapping[str, Any]) -> None:
        document = template(name)
        defaults = {key: told["Default"] for key, told in document["Parameters"].items() if "Default" in told}
        self._values = {**PSEUDO, **defaults, **parameters}
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self.resources: Mapping[str, Any] = {
            key: self._resolved(each)
            for key, each in document["Resources"].items()
            if self._holds({"Condition": each["Condition"]} if "Condition" in each else True)
        }
        self.outputs: Mapping[str, Any] = {
            key: self._resolved(each["Value"]) for key, each in document.get("Outputs", {}).items()
        }

    def properties(self, resource: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.resources[resource]["Properties"]
        return found

    def container(self, task: str, name: str) -> Mapping[str, Any]:
        """One of the containers of a task definition."""
        (found,) = [each for each in self.properties(task)["ContainerDefinitions"] if each["Name"] == name]
        container: Mapping[str, Any] = found
        return container

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [each for each in map(self._resolved, value) if each != {"Ref": _NOTHING}]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            if name in self._functions:
                return self._functions[name](argument)
        # The name of a resource's condition; a policy's own condition is a mapping.
        resolved = {key: each if isinstance(each, str) else self._resolved(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each != {"Ref": _NOTHING}}

    @property
    def _functions(self) -> Mapping[str, Callable[[Any], Any]]:
        return {"Ref": self._ref, "Fn::Sub": self._sub, "Fn::If": self._if, "Fn::GetAtt": str}

    def _ref(self, name: str) -> Any:
        return {"Ref": _NOTHING} if name == _NOTHING else self._values.get(name, name)

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: str(self._values.get(found[1], found[1])), text)

    def _if(self, argument: list[Any]) -> Any:
        condition, one, other = argument
        return self._resolved(one if self._holds({"Condition": condition}) else other)

    def _holds(self, condition: Any) -> bool:
        if condition is True:
            return True
        (name, argument) = next(iter(condition.items()))
        match name:
            case "Condition":
                return self._holds(self._conditions[argument])
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(map(self._holds, argument))
            case "Fn::Or":
                return any(map(self._holds, argument))
            case _:
                one, other = map(self._resolved, argument)
                return str(one) == str(other)
