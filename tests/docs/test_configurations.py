"""Configurations that the pages show."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import load_all
from tests.docs.pages import Block, blocks

_WHOLE: dict[str, Any] = {
    "name": "orders",
    "source": {"kinesis": {"stream": "orders", "region": "eu-west-1"}},
    "sink": {"kafka": {"bootstrap_servers": ["b-1:9092"], "topic": "orders"}},
}
"""The least that a mirror needs: a fragment is put into it."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_EXAMPLES = blocks("yaml")


@pytest.mark.parametrize("block", _EXAMPLES, ids=[block.where for block in _EXAMPLES])
def test_every_configuration_in_the_pages_is_accepted(block: Block, tmp_path: Path) -> None:
    """What a reader copies is taken by the program; a block that is no configuration says so with a marker."""
    file = tmp_path / "orders.yaml"
    file.write_text(_completed(block.text), encoding="utf-8")
    load_all([str(file)], environment=dict.fromkeys(_VARIABLE.findall(block.text), "a-value"))


def _completed(text: str) -> str:
    """As it stands where it names its ends, so that errors tell its lines."""
    found = yaml.safe_load(text)
    if "mirrors" in found or ("source" in found and "sink" in found):
        return text
    return yaml.safe_dump({**_WHOLE, **found}, sort_keys=False)
