"""The reference of the configuration's keys."""

from bridge.config.configuration import Configuration
from bridge.config.reference import renewed
from tests.docs.pages import ROOT


def test_the_reference_is_that_of_the_models() -> None:
    """``make reference`` changes nothing."""
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert renewed(page) == page


def test_every_key_has_a_sentence() -> None:
    """Nobody has to guess what a key is for: editors show the sentence, and so does the reference."""
    schema = Configuration.model_json_schema()
    sections = {"": schema, **schema["$defs"]}
    assert not [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, found in section.get("properties", {}).items()
        if not found.get("description")
    ]
