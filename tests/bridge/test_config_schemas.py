"""``transforms: - schemas`` says which registries, and its mistakes are named."""

from pathlib import Path
from typing import Any

import pytest

from bridge.config.document import Document
from bridge.config.transforms.schemas import SchemasTransform
from bridge.config.validation import validate
from bridge.permissions import Surroundings, policy_for
from connectors.schemas.definition import Compatibility, Field
from connectors.schemas.settings import ConfluentSettings, GlueSettings, SchemaSettings, Unknown
from tests.bridge.test_config_mistakes import VALID, messages
from tests.deploy import mirrors

CONFLUENT = {"confluent": {"url": "http://registry:8081"}}
FORMS = "a section with exactly one of glue: {registry: REGISTRY} and confluent: {url: URL}"


def settings_of(**schemas: Any) -> SchemaSettings:
    configuration = validate(Document({**mirrors.TO_KAFKA, "transforms": [{"schemas": schemas}]}))
    (step,) = configuration.transforms
    assert isinstance(step, SchemasTransform)
    return step.schemas.settings("orders", "events")


def test_two_words_are_enough() -> None:
    """Glue's default registry, and the address of the other; names and what is strict are the default."""
    assert settings_of(**{"from": "glue", "to": CONFLUENT}) == SchemaSettings(
        GlueSettings(), ConfluentSettings(("http://registry:8081",)), "orders", "events"
    )


def test_all_that_can_be_said_arrives() -> None:
    """Of both kinds, both ways."""
    tls = {"ca": "ca.pem", "certificate": "me.pem", "key": "me.key", "key_password": "k"}
    login = {"username": "me", "password": "p"}
    found = settings_of(
        **{
            "from": {"confluent": {"url": "https://a:1, https://b:2", **login, "tls": tls}},
            "to": {"glue": {"registry": "r", "region": "eu-west-3", "compression": "zlib"}},
            "subject": "{subject}",
            "fields": ["value"],
            "compatibility": "full_all",
            "unknown": "pass",
        }
    )
    assert found == SchemaSettings(
        ConfluentSettings(
            ("https://a:1", "https://b:2"),
            ("me", "p"),
            {
                "ssl.ca.location": "ca.pem",
                "ssl.certificate.location": "me.pem",
                "ssl.key.location": "me.key",
                "ssl.key.password": "k",
            },
        ),
        GlueSettings("r", "eu-west-3", None, compressed=True),
        "orders",
        "events",
        "{subject}",
        (Field.VALUE,),
        Compatibility.FULL_ALL,
        Unknown.PASS,
    )
    assert "'p'" not in repr(found)


@pytest.mark.parametrize(
    ("schemas", "problem"),
    [
        ("{to: glue}", "schemas.from: is missing"),
        ("{from: confluent, to: glue}", f'from: found "confluent"; allowed: glue, or {FORMS}'),
        (
            "{from: {glue: {}, confluent: {url: http://r}}, to: glue}",
            "from: found a section; allowed: exactly one of glue: {registry: REGISTRY} and confluent: {url: URL}",
        ),
        (
            "{from: {confluent: {url: registry}}, to: glue}",
            'url[0]: found "registry"; allowed: a URL, as http://127.0.0.1:4567',
        ),
        (
            "{from: glue, to: {confluent: {url: http://r, username: me}}}",
            "password: found nothing; allowed: a text, as password: ${REGISTRY_PASSWORD}, beside username",
        ),
        (
            '{from: glue, to: glue, subject: "{tpoic}"}',
            'subject: found "{tpoic}"; allowed: topic_name, record_name, topic_record_name, or a text with some of',
        ),
        ("{from: glue, to: glue, unknwon: pass}", "unknwon: unknown key; did you mean unknown?"),
        ("{from: glue, to: glue, unknown: dead_letter}", "on_error: found nothing; allowed: dead_letter, for"),
    ],
)
def test_mistake_is_named_with_its_place(tmp_path: Path, schemas: str, problem: str) -> None:
    """The key, what was found and what is allowed."""
    (found,) = messages(tmp_path, f"{VALID}transforms:\n  - schemas: {schemas}\n")
    assert problem in found


def test_the_policy_of_a_mirror_names_its_registries() -> None:
    """Those of Glue, read or written; an id alone names none."""
    asked = {"from": {"glue": {"registry": "r"}}, "to": {"glue": {"registry": "w", "region": "eu-west-3"}}}
    document = Document({**mirrors.TO_KAFKA, "transforms": [{"schemas": asked}]})
    policy = policy_for(validate(document), around=Surroundings("eu-west-1", "000000000001"))

    allowed = {
        resource: sorted(statement.actions)
        for statement in policy.statements
        for resource in statement.resources
        if any(action.startswith("glue:") for action in statement.actions)
    }

    assert allowed == {
        "*": ["glue:GetSchemaVersion"],
        "arn:aws:glue:eu-west-1:000000000001:registry/r": ["glue:GetSchema"],
        "arn:aws:glue:eu-west-1:000000000001:schema/r/*": ["glue:GetSchema"],
        "arn:aws:glue:eu-west-3:000000000001:registry/w": [
            "glue:CreateSchema",
            "glue:GetSchemaByDefinition",
            "glue:RegisterSchemaVersion",
        ],
        "arn:aws:glue:eu-west-3:000000000001:schema/w/*": [
            "glue:CreateSchema",
            "glue:GetSchemaByDefinition",
            "glue:RegisterSchemaVersion",
        ],
    }
