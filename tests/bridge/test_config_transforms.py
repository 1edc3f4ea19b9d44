"""The keys of steps: what each takes, and its mistakes word for word."""

from pathlib import Path

import pytest
import yaml

from bridge.assembly.transforming import chain_of
from bridge.config import Configuration, load
from bridge.config.writing import document_of, without_secrets
from connectors.base import Clock, Observer
from tests.bridge.test_config_mistakes import VALID, messages

STEPS = {
    "python": ("{python: 'm:f'}", "python m:f"),
    "python as a handler": ("{python: 'm:f', event: firehose, batch: 10, attempts: 1, timeout: 1s}", "python m:f"),
    "lambda": ("{lambda: {function: cleaner}}", "lambda cleaner"),
    "lambda by its ARN": (
        "{lambda: {function: 'arn:aws:lambda:eu-west-1:000000000001:function:cleaner:live', event: firehose}}",
        "lambda arn:aws:lambda:eu-west-1:000000000001:function:cleaner:live",
    ),
    "filter": ("{filter: value.n > 1}", "filter value.n > 1"),
    "map as a whole": ("{map: '{\"n\": value.n}'}", 'map {"n": value.n}'),
    "map of fields": ("{map: {set: {$.a: value.b}, remove: [$..c]}}", "map $..c, $.a"),
    "rekey": ("{rekey: value.id}", "rekey value.id"),
    "headers": ("{headers: {set: {tenant: value.t}, remove: ['x-*']}}", "headers x-*, tenant"),
    "redact": ("{redact: {fields: [$.email]}}", "redact $.email"),
    "redact by a hash": ("{redact: {fields: [$.email], by: hash, secret: '${SALT}'}}", "redact $.email"),
}


def loaded(folder: Path, steps: str) -> Configuration:
    file = folder / "o.yaml"
    file.write_text(f"{VALID}transforms: [{steps}]\n")
    return load([str(file)], environment={"SALT": "not to be seen"})


@pytest.mark.parametrize(("step", "name"), STEPS.values(), ids=STEPS)
def test_every_kind_of_step_can_be_asked_for(step: str, name: str, tmp_path: Path) -> None:
    """Each section is taken, and makes a step that says what it is."""
    chain = chain_of(loaded(tmp_path, step), Clock(), Observer())

    assert chain is not None
    assert chain.name == name


@pytest.mark.parametrize("step", [step for step, _ in STEPS.values()], ids=STEPS)
def test_a_step_that_is_written_is_read_as_the_same(step: str, tmp_path: Path) -> None:
    """Workers are given their configuration so, its secrets in the environment."""
    found = loaded(tmp_path, step)
    root = document_of(found)
    secrets = without_secrets(root)
    file = tmp_path / "written.yaml"
    file.write_text(yaml.safe_dump(root))

    assert "not to be seen" not in file.read_text()
    assert load([str(file)], environment=secrets) == found


def test_the_secret_of_a_hash_is_not_shown(tmp_path: Path) -> None:
    """Neither by the configuration nor by the step."""
    configuration = loaded(tmp_path, STEPS["redact by a hash"][0])
    chain = chain_of(configuration, Clock(), Observer())

    assert "not to be seen" not in f"{configuration!r} {configuration.model_dump_json()} {vars(chain)!r}"


MISTAKES = {
    "an expression that ends too early": (
        "{filter: 'value.n >'}",
        (
            'transforms[0].filter: found "value.n >"; allowed: an expression that gives true or false '
            "(1:10: Syntax error: mismatched input '<EOF>')"
        ),
    ),
    "an expression of something else": (
        "{filter: '1 + 1'}",
        'transforms[0].filter: found "1 + 1"; allowed: an expression that gives true or false (gives INT, not BOOL)',
    ),
    "a name that is none": (
        "{rekey: valeu.id}",
        "transforms[0].rekey: found \"valeu.id\"; allowed: an expression (1:6: undeclared reference to 'valeu.id')",
    ),
    "no change": (
        "{map: {}}",
        (
            "transforms[0].map: found a section; allowed: an expression of the whole value, "
            "or a section with set: {PATH: EXPRESSION} and remove: [PATH]"
        ),
    ),
    "a path into a list": (
        "{map: {set: {'$.a[0]': value.b}}}",
        (
            "transforms[0].map.set: found a section; allowed: JSONPaths of names alone, as $.customer.email, "
            "each with an expression ($.a[0] leads to more than one place, or into a list)"
        ),
    ),
    "an expression in a section": (
        "{map: {set: {$.a: value.}}}",
        (
            'transforms[0].map.set.$.a: found "value."; allowed: an expression '
            "(1:7: Syntax error: no viable alternative at input '.')"
        ),
    ),
    "the bridge's own header": (
        "{headers: {set: {kmbridge-origin: '\"a\"'}}}",
        (
            "transforms[0].headers.set: found a section; "
            "allowed: names of headers but those that begin with kmbridge-, the bridge's own"
        ),
    ),
    "no header": (
        "{headers: {}}",
        (
            "transforms[0].headers: found a section; "
            "allowed: a section with set: {NAME: EXPRESSION} or remove: [NAME], or both"
        ),
    ),
    "a path that is none": (
        "{redact: {fields: [email]}}",
        (
            'transforms[0].redact.fields[0]: found "email"; allowed: a JSONPath to fields of the value, '
            "as $.customer.email or $..email (expected 'TOKEN_ROOT', found 'TOKEN_NAME')"
        ),
    ),
    "nothing to cover": (
        "{redact: {fields: []}}",
        "transforms[0].redact.fields: found a list; allowed: a list of JSONPaths, as [$.customer.email]",
    ),
    "a hash that can be tried out": (
        "{redact: {fields: [$.email], by: hash}}",
        (
            "transforms[0].redact.secret: found nothing; allowed: a text, as secret: ${REDACTION_SECRET}, "
            "without which a hash can be tried out"
        ),
    ),
    "a secret without a hash": (
        "{redact: {fields: [$.email], secret: abc}}",
        "transforms[0].redact.secret: found a value that is not shown; allowed: left out beside by: mask",
    ),
    "a mask where nothing stands": (
        "{redact: {fields: [$.email], by: remove, mask: x}}",
        'transforms[0].redact.mask: found "x"; allowed: left out beside by: remove',
    ),
    "a function that is none": (
        "{lambda: {function: 'a b'}}",
        'transforms[0].lambda.function: found "a b"; allowed: a function\'s name, NAME:ALIAS, or its ARN',
    ),
    "an event that Lambda does not have": (
        "{lambda: {function: a, event: sqs}}",
        'transforms[0].lambda.event: found "sqs"; allowed: kinesis or firehose',
    ),
    "keys of an event without one": (
        "{python: 'm:f', batch: 10}",
        "transforms[0].batch: found 10; allowed: left out, where there is no event: kinesis or firehose",
    ),
    "an event that is given records": (
        "{python: 'm:f', event: kinesis, takes: batch}",
        'transforms[0].takes: found "batch"; allowed: left out beside event, which says what a call is given',
    ),
}


@pytest.mark.parametrize(("step", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_step_is_said_with_its_place_and_what_is_allowed(
    step: str, message: str, tmp_path: Path
) -> None:
    """Before anything is connected to, so that no record ever finds it."""
    assert messages(tmp_path, f"{VALID}transforms: [{step}]\n") == [f"o.yaml:8: {message}"]
