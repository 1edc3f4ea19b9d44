"""A place that answers as AWS does, for what is asked of it about clusters of Kafka."""

from collections.abc import Iterator

import pytest

from tests.support.fake_aws import FakeAws, fake_aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """Where every call to AWS goes."""
    with fake_aws() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server
