"""How a client makes itself known to a cluster, as librdkafka is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal["none", "tls", "scram", "iam"]

OWNED = frozenset(
    {
        "enable.sasl.oauthbearer.unsecure.jwt",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.password",
        "sasl.username",
        "security.protocol",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.key.pem",
    }
)
"""librdkafka's keys that another kind than ``none`` sets itself."""


class Auth(Protocol):
    """One kind of it. Whoever shows it in a log or a repr shows no secret."""

    @property
    def kind(self) -> Kind: ...

    def settings(self) -> Mapping[str, object]:
        """Settings of librdkafka, secrets among them."""


@dataclass(frozen=True, slots=True)
class Open:
    """Everybody is let in. What else a listener wants stands in librdkafka's own settings."""

    kind: Kind = field(default="none", init=False)

    def settings(self) -> Mapping[str, object]:
        return {}


@dataclass(frozen=True, slots=True)
class Tls:
    """An encrypted connection; with a certificate of the client's own it is let in as whom that names (mutual TLS).

    All are paths of PEM files. Without ``ca`` the authorities that the system trusts are asked.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)
    checks_certificates: bool = True
    """Whether the broker has to prove that it is who it should be: certificate and host name."""
    kind: Kind = field(default="tls", init=False)

    def settings(self) -> Mapping[str, object]:
        given = {
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
            "ssl.key.password": self.key_password,
        }
        found: dict[str, object] = {key: value for key, value in given.items() if value is not None}
        found["security.protocol"] = "SSL"
        if not self.checks_certificates:
            found["enable.ssl.certificate.verification"] = False
        return found


@dataclass(frozen=True, slots=True)
class Scram:
    """User and password over an encrypted connection, by SCRAM-SHA-512: MSK has no other mechanism of the kind."""

    username: str
    password: str = field(repr=False)
    tls: Tls = field(default_factory=Tls)
    kind: Kind = field(default="scram", init=False)

    def settings(self) -> Mapping[str, object]:
        return {
            **self.tls.settings(),
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.username,
            "sasl.password": self.password,
        }


Token = tuple[str, float]
"""A token, and when it expires: seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token over an encrypted connection: that of an IAM role at MSK.

    ``token`` is called by threads of librdkafka, of every client, whenever one needs a token: at its start, and when
    four fifths of the last one's life are over. Where it raises, librdkafka asks again ten seconds later.
    """

    token: Callable[[str], Token] = field(repr=False)
    tls: Tls = field(default_factory=Tls)
    kind: Kind = field(default="iam", init=False)

    def settings(self) -> Mapping[str, object]:
        return {
            **self.tls.settings(),
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "OAUTHBEARER",
            "oauth_cb": self.token,
        }
