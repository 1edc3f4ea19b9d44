"""An environment in which no account, profile or proxy of the user's exists."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NOBODYS = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@contextmanager
def nobodys_environment() -> Iterator[None]:
    """While inside, this process and those it starts know invented credentials only, and reach 127.0.0.1 directly.

    The mirror finds credentials as it always does; so nothing of a demo can ever be signed with real ones, and a
    profile that is broken does not matter.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(_NOBODYS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
