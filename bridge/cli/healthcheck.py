"""``python -m bridge.cli.healthcheck``: whether the mirror of this container works, for its engine to ask.

It exits 0 where /healthz answers 200, else 1 with one line that says why. The address is that of the default
``http.listen``, on this machine, or what ``KMBRIDGE_HEALTHCHECK`` says. It knows nothing of the rest of the product,
because it is started anew each time.
"""

import os
import sys
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

DEFAULT = "http://127.0.0.1:8080/healthz"
_TIMEOUT_S = 4


def trouble(url: str) -> str | None:
    """What is wrong with whoever answers there; None where all is well."""
    # A proxy for AWS is set by environment variables that this question must not follow.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT_S):
            return None
    except HTTPError as error:
        return error.read(1_000).decode(errors="replace").strip() or str(error)
    except (OSError, ValueError) as error:
        return f"{url}: {error}"


def main() -> None:
    found = trouble(os.environ.get("KMBRIDGE_HEALTHCHECK", DEFAULT))
    if found is not None:
        sys.exit(found)


if __name__ == "__main__":
    main()
