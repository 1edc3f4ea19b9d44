"""User and password out of AWS Secrets Manager."""

import traceback

import pytest

from connectors.base import RefusedError
from connectors.kafka.aws.identity import Identity
from connectors.kafka.aws.secret import login
from tests.support.fake_aws import FakeAws

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:AmazonMSK_orders-a1b2c3"


def test_the_secret_holds_user_and_password(aws: FakeAws) -> None:
    """As MSK itself wants them; neither repr shows the password."""
    aws.secrets[ARN] = '{"username": "mirror", "password": "hunter2"}'
    found = login(Identity("eu-west-1"), ARN)
    assert (found.username, found.password) == ("mirror", "hunter2")
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("text", ["hunter2", '{"username": "mirror", "pass": "hunter2"}', '{"password": "hunter2"}'])
def test_a_secret_of_another_shape_is_refused_without_being_shown(aws: FakeAws, text: str) -> None:
    """Neither in the message nor in the traceback, which holds no chain of causes."""
    aws.secrets[ARN] = text
    with pytest.raises(RefusedError, match="not what MSK keeps") as told:
        login(Identity("eu-west-1"), ARN)
    assert "hunter2" not in "".join(traceback.format_exception(told.value))


def test_the_missing_permission_is_named(aws: FakeAws) -> None:
    """With the actions that have to be granted: MSK's secrets have a key of their own."""
    aws.secrets[ARN] = "{}"
    aws.refusal = (400, "AccessDeniedException")
    with pytest.raises(RefusedError) as told:
        login(Identity("eu-west-1"), ARN)
    assert "secretsmanager:GetSecretValue" in told.value.hint
    assert "kms:Decrypt" in told.value.hint
