"""Tokens for IAM at MSK: who signed them, how long they last, and what happens when keys cannot be had."""

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from connectors.base import RefusedError, SettingsError
from connectors.kafka.aws.identity import Identity
from connectors.kafka.aws.tokens import Tokens
from tests.support.fake_aws import ROLE_KEYS, FakeAws
from tests.support.kinesis_api import CREDENTIALS

ROLE = "arn:aws:iam::123456789012:role/mirror"
REGION = "eu-west-1"


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.s = time.time()

    def __call__(self) -> float:
        return self.s


def is_signed_with(token: str, secret_key: str) -> bool:
    """Whether MSK would take ``token``: Signature Version 4 in a query, worked out from AWS's description alone."""
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    given = {key: value[0] for key, value in parse_qs(url.query, keep_blank_values=True).items()}
    signature = given.pop("X-Amz-Signature")
    given.pop("User-Agent")
    canonical = "&".join(f"{quote(key, '')}={quote(given[key], '-_.~')}" for key in sorted(given))
    request = f"GET\n/\n{canonical}\nhost:{url.netloc}\n\nhost\n{hashlib.sha256().hexdigest()}"
    _, day, region, service, last = given["X-Amz-Credential"].split("/")
    scope = f"{day}/{region}/{service}/{last}"
    text = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, last):
        key = hmac.digest(key, part.encode(), "sha256")
    assert (region, service, given["Action"]) == (REGION, "kafka-cluster", "kafka-cluster:Connect")
    return hmac.new(key, text.encode(), "sha256").hexdigest() == signature


def test_a_token_is_signed_with_our_keys() -> None:
    """And with no others: a verifier that shares no code with the signer knows it."""
    token, expires = Tokens(Identity(REGION))("")
    assert is_signed_with(token, CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    assert not is_signed_with(token, "another key")
    assert 890 < expires - time.time() <= 900


def test_a_role_is_assumed_once_for_many_tokens(aws: FakeAws) -> None:
    """Its keys sign them, and serve until they are about to expire."""
    aws.role_expires = time.time() + 3600
    tokens = Tokens(Identity(REGION, ROLE))
    found = [tokens("")[0] for _ in range(3)]
    assert all(is_signed_with(token, ROLE_KEYS[1]) for token in found)
    assert aws.asked == [ROLE]


def test_a_role_is_assumed_anew_before_its_keys_expire(aws: FakeAws) -> None:
    """Each token of a role whose keys are about to expire is asked with new ones."""
    aws.role_expires = time.time() + 300
    tokens = Tokens(Identity(REGION, ROLE))
    tokens("")
    tokens("")
    assert len(aws.asked) >= 2


def test_a_token_does_not_outlive_the_keys_that_signed_it(aws: FakeAws) -> None:
    """A broker would refuse it sooner than librdkafka asked for another."""
    aws.role_expires = float(int(time.time()) + 300)
    _, expires = Tokens(Identity(REGION, ROLE))("")
    assert expires == aws.role_expires


def test_keys_that_have_expired_sign_nothing(aws: FakeAws) -> None:
    """The message says so, in one line."""
    aws.role_expires = time.time() + 300
    clock = Clock()
    clock.s += 301
    with pytest.raises(RefusedError, match="the credentials have expired"):
        Tokens(Identity(REGION, ROLE), clock)("")


def test_the_last_token_serves_while_none_can_be_had(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """As long as it is valid; the reason is logged once, for every client asks by itself."""
    aws.role_expires = time.time() + 300
    clock = Clock()
    tokens = Tokens(Identity(REGION, ROLE), clock)
    first = tokens("")
    aws.refusal = (403, "AccessDenied")
    clock.s += 20
    assert [tokens(""), tokens("")] == [first, first]
    assert [each.name for each in caplog.records].count("connectors.kafka.aws.tokens") == 1
    clock.s += 300
    with pytest.raises(RefusedError, match="assume role"):
        tokens("")


def test_a_role_that_may_not_be_assumed_is_named(aws: FakeAws) -> None:
    """With the permission that is missing."""
    aws.refusal = (403, "AccessDenied")
    with pytest.raises(RefusedError) as told:
        Tokens(Identity(REGION, ROLE))("")
    assert told.value.operation == f"assume role {ROLE}"
    assert "sts:AssumeRole" in told.value.hint
    assert "not for you" in told.value.cause
    assert "\n" not in str(told.value)


def test_no_secret_is_in_a_repr(aws: FakeAws) -> None:
    """Neither a key nor the token made of it."""
    aws.role_expires = time.time() + 3600
    tokens = Tokens(Identity(REGION, ROLE))
    token, _ = tokens("")
    shown = repr(tokens) + repr(tokens._identity) + repr(vars(tokens._identity))
    assert token not in shown
    assert ROLE_KEYS[1] not in shown


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_may_be_left_to_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """By either name: AWS sets the one in its containers, and its Python library reads the other."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SettingsError, match=r"auth\.iam\.region"):
        Tokens(Identity(None)).sign()
    monkeypatch.setenv(variable, REGION)
    assert is_signed_with(Tokens(Identity(None)).sign()[0], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
