"""What the pages of deployment show."""

import re

import pytest
import yaml

from bridge.permissions.templates import templates
from tests.docs.pages import Block, pages
from tests.support.chart import render

_OF_THE_CHART = [
    block
    for page in pages()
    for block in page.blocks()
    if page.path.name == "kubernetes.md" and block.language == "yaml"
]


@pytest.mark.parametrize("block", _OF_THE_CHART, ids=[block.where for block in _OF_THE_CHART])
def test_values_in_the_pages_are_taken_by_the_chart(block: Block) -> None:
    """What a reader copies can be installed."""
    assert render(yaml.safe_load(block.text)).only("StatefulSet")


def test_the_page_of_permissions_names_every_policy() -> None:
    """By its file, or by a pattern of which it is one."""
    (page,) = [page for page in pages() if page.path.name == "iam.md"]
    named = [re.escape(span.text).replace("PAIR", "[a-z-]+") for span in page.spans() if span.text.endswith(".json")]
    assert not [name for name in templates() if not any(re.fullmatch(each, f"{name}.json") for each in named)]
