"""Exit codes that the pages promise."""

import re
import signal

from bridge.cli import failure
from tests.docs.pages import pages

_CODE = re.compile(r"\bexit(?:s|ed)?(?: code| with| it with)*:? (\d+)\b", re.IGNORECASE)
_CODES = {
    0,
    failure.FAILED,
    failure.WRONG_USAGE,
    failure.ENDPOINT,
    *(128 + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)),
}


def test_every_exit_code_in_the_text_is_one_of_the_program() -> None:
    """Scripts branch on what is written here."""
    assert not [
        f"{text.where}: {code}"
        for page in pages()
        for text in page.texts()
        for code in _CODE.findall(text.text)
        if int(code) not in _CODES
    ]
