"""What a mirror asks of AWS for a cluster of Kafka: GetBootstrapBrokers, GetSecretValue and AssumeRole."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import parse_qs, unquote

from tests.support.http_double import Double, doubled

ROLE_KEYS = ("ASIAROLE", "the role's secret key", "the role's session token")


@dataclass
class FakeAws:
    """What it answers, to be changed by a test, and what it was asked."""

    url: str = ""
    brokers: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    """Status and code with which every call is refused."""
    role_expires: float = 0.0
    """When the keys of a role expire, in seconds since the epoch."""
    asked: list[str] = field(default_factory=list)


class _Handler(Double):
    aws: ClassVar[FakeAws]

    def do_GET(self) -> None:  # noqa: N802  # the library's name
        self.aws.asked.append(unquote(self.path))
        self._answer({name[0].lower() + name[1:]: text for name, text in self.aws.brokers.items()})

    def do_POST(self) -> None:  # noqa: N802  # the library's name
        body = self.body().decode()
        if "X-Amz-Target" in self.headers:
            secret = json.loads(body)["SecretId"]
            self.aws.asked.append(secret)
            self._answer({"ARN": secret, "Name": "AmazonMSK_x", "SecretString": self.aws.secrets[secret]})
        else:
            self.aws.asked.append(parse_qs(body)["RoleArn"][0])
            self._assume()

    def _answer(self, body: dict[str, str]) -> None:
        if self.aws.refusal is None:
            self._send(200, json.dumps(body), "application/json")
        else:
            status, code = self.aws.refusal
            self._send(status, json.dumps({"__type": code, "message": "not for you"}), "application/json", code)

    def _assume(self) -> None:
        if self.aws.refusal is None:
            self._send(200, _assumed(self.aws.role_expires), "text/xml")
        else:
            status, code = self.aws.refusal
            text = f"<Error><Code>{code}</Code><Message>not for you</Message></Error>"
            self._send(status, f"<ErrorResponse>{text}</ErrorResponse>", "text/xml")

    def _send(self, status: int, text: str, kind: str, code: str = "") -> None:
        self.send(status, text.encode(), kind, {"x-amzn-ErrorType": code})


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    """A server of its own, as long as the context is entered."""
    aws = FakeAws()
    with doubled(type("Handler", (_Handler,), {"aws": aws})) as url:
        aws.url = url
        yield aws


def _assumed(expires: float) -> str:
    access, secret, token = ROLE_KEYS
    until = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = (
        f"<AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
        f"<SessionToken>{token}</SessionToken><Expiration>{until}</Expiration>"
    )
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<Credentials>{keys}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
