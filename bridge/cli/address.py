"""Where a running mirror answers, as a person names it."""

from urllib.parse import SplitResult, urlsplit

from bridge.errors import UsageError

_EXAMPLE = "allowed: a URL, as http://10.0.0.7:8080"


def address(where: str, url: str) -> str:
    """``url`` without a slash at its end; ``where`` names the argument. Raises ``UsageError`` for what is no address.

    One with a secret in it is refused, and not repeated: arguments are seen by all of the machine.
    """
    parts = _parts(url)
    if parts is None or any(each.isspace() for each in url):
        raise UsageError(where, f"found {url.rpartition('@')[2]}", _EXAMPLE)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(where, "found more than an address", f"{_EXAMPLE}; the token is http.token")
    return url.rstrip("/")


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_one else None
