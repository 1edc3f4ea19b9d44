import os

import pytest
from botocore.session import Session

from bridge.demo.environment import nobodys_environment


def test_credentials_of_the_user_are_out_of_reach_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither keys nor a broken profile of the user play a part, and afterwards everything is as it was."""
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    before = dict(os.environ)
    with nobodys_environment():
        found = Session().get_credentials()
        assert (found.access_key, found.token) == ("demo", None)
    assert dict(os.environ) == before
