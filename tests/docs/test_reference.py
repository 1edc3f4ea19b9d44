"""The reference of the configuration's keys."""

import json

from bridge.config.configuration import Configuration
from bridge.config.reference import renewed
from tests.docs.pages import ROOT


def test_the_reference_is_that_of_the_models() -> None:
    """``make reference`` changes nothing."""
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert renewed(page) == page


def test_every_key_has_a_sentence() -> None:
    """Nobody has to guess what a key is for: editors show the sentence, and so does the reference.

    A section may have it itself; a key of a single value, which is there for a later version, needs none.
    """
    schema = Configuration.model_json_schema()
    sections = {"": schema, **schema["$defs"]}
    told = {f'"#/$defs/{name}"' for name, section in sections.items() if "description" in section}
    assert not [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, found in section.get("properties", {}).items()
        if "description" not in found
        and not any(reference in json.dumps(found) for reference in told)
        and "const" not in found
        and found.get("type") != "null"
    ]
