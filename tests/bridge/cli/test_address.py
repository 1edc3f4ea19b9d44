"""The address of a running mirror, as it is named on the command line."""

import pytest

from bridge.cli.address import address
from bridge.errors import UsageError


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://mirror.example", "http://[::1]:8080", "http://a/b"])
def test_an_address_is_taken_as_it_is(url: str) -> None:
    """With a slash at its end or without."""
    assert address("--url", url) == address("--url", f"{url}/") == url


@pytest.mark.parametrize(
    "url", ["", "mirror:8080", "http://", "http://a:99999", "http://[::1", "http://a b", "ftp://a", "ftp://me:hidden@a"]
)
def test_what_is_no_address_is_named_with_what_is(url: str) -> None:
    """Before anybody is asked, and without what may be a password."""
    with pytest.raises(UsageError, match=r"^--url: found .*as http://10\.0\.0\.7:8080") as raised:
        address("--url", url)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://me:hidden@a:8080", "http://a:8080?token=hidden", "https://a/#hidden"])
def test_a_secret_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    """The hint says where it belongs."""
    with pytest.raises(UsageError, match=r"http\.token") as raised:
        address("status URL", url)
    assert "hidden" not in str(raised.value)
