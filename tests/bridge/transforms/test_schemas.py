"""``schemas`` is an extra: who asks for it without having it is told on entering."""

import sys

import pytest

from bridge.transforms.schemas import SchemasStep
from connectors.base import Clock, SettingsError
from connectors.schemas.settings import ConfluentSettings, GlueSettings, SchemaSettings


async def test_what_is_not_installed_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of it is loaded before the step is entered."""
    monkeypatch.setitem(sys.modules, "proto_schema_parser", None)
    for name in [each for each in sys.modules if each.startswith("connectors.schemas.")]:
        if name.endswith((".making", ".protobuf", ".decompiled", ".formats")):
            monkeypatch.delitem(sys.modules, name)
    settings = SchemaSettings(GlueSettings(), ConfluentSettings(("http://registry:8081",)), "orders", "orders")

    step = SchemasStep(settings, Clock())

    assert step.name == "schemas"
    with pytest.raises(SettingsError, match=r"proto_schema_parser is not installed \(install kmbridge\[schemas\]\)"):
        await step.__aenter__()
