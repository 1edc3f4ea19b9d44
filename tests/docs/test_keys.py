"""Keys of the configuration that the text names."""

import re

from bridge.config.configuration import Configuration
from bridge.config.keys import free_keys, known_keys, split_key
from tests.docs.pages import spans

_PATH = re.compile(r"([a-z_]+(?:\.[a-z_]+)+)(?:: .*)?")
_SETTING = re.compile(r"([a-z_]+): [^ ].*")
_OF_OTHERS = {"authorization"}
"""Settings of other programs that the text names: Prometheus."""


def test_every_path_of_a_key_in_the_text_exists() -> None:
    """``sink.kafka.compression`` is where the text says that it is."""
    known, free = set(known_keys(Configuration)), set(free_keys(Configuration))
    first = {path[0] for path in known}
    assert not [
        f"{span.where}: {span.text}"
        for span in spans()
        if (match := _PATH.fullmatch(span.text)) and match[1].partition(".")[0] in first
        if (path := split_key(match[1], Configuration)) not in known and path[:-1] not in free
    ]


def test_every_key_that_the_text_gives_a_value_exists() -> None:
    """``on_gap: continue`` is a key of some section."""
    names = {path[-1] for path in known_keys(Configuration)} | _OF_OTHERS
    assert not [
        f"{span.where}: {span.text}"
        for span in spans()
        if (match := _SETTING.fullmatch(span.text)) and match[1] not in names
    ]
