"""A real broker that lets in only whom it knows: by a password, by a certificate or by a token."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from tests.support.certificates import Authority
from tests.support.kafka import KafkaBroker, Listener
from tests.support.ports import HOST

PASSWORDS = {"mirror": "correct horse; battery=staple", "stranger": "let me in"}
"""``mirror`` may do all, ``stranger`` nothing."""

REAUTHENTICATION_MS = 2_000
"""After so long a connection by token has to show a new one."""


_LOGGING = """
appender.console.type = Console
appender.console.name = console
appender.decisions.type = File
appender.decisions.name = decisions
appender.decisions.fileName = {decisions}
appender.decisions.layout.type = PatternLayout
appender.decisions.layout.pattern = %m%n
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
logger.authorizer.name = kafka.authorizer.logger
logger.authorizer.level = debug
logger.authorizer.additivity = false
logger.authorizer.appenderRef.decisions.ref = decisions
"""
"""As by default, but for what the authorizer decides."""


@dataclass(frozen=True, slots=True)
class SecuredKafka:
    """Addresses of one broker, ``host:port``, by how one is let in, and the files that it takes."""

    plain: str
    """Lets everybody in, as a superuser."""
    scram: str
    mutual: str
    token: str
    """OAUTHBEARER with unsecured JSON web tokens, of subject ``mirror``."""
    ca: str
    wrong_ca: str
    """Of an authority that the broker's certificate is not from."""
    certificate: str
    """Of ``mirror``."""
    key: str
    decisions: str
    """The file in which its authorizer writes down what it allows and denies, a line each."""

    @property
    def mutual_auth(self) -> dict[str, dict[str, str]]:
        """The key ``auth`` of a mirror that comes with its certificate, but for the key's password."""
        return {"tls": {"ca": self.ca, "certificate": self.certificate, "key": self.key}}

    def scram_auth(self, user: str = "mirror") -> dict[str, dict[str, str]]:
        """The key ``auth`` of a mirror that comes as ``user``."""
        return {"scram": {"username": user, "password": PASSWORDS[user]}, "tls": {"ca": self.ca}}

    def note(self) -> Mapping[str, str]:
        """What ``SecuredKafka(**note)`` makes again in another process."""
        return asdict(self)


def secured_broker(folder: Path) -> tuple[KafkaBroker, SecuredKafka]:
    """The broker, not started. Once it runs ``add_users`` has to be called."""
    authority, other = Authority.make(folder, "authority"), Authority.make(folder, "another")
    certificate, key = authority.sign("mirror")
    scram, mutual, token = (
        Listener.direct("SCRAM", "SASL_SSL"),
        Listener.direct("MUTUAL", "SSL"),
        Listener.direct("TOKEN", "SASL_SSL"),
    )
    settings = _settings(str(authority.keystore("broker", [HOST])), str(authority.ca))
    decisions, logging = folder / "decisions.log", folder / "log4j2.properties"
    logging.write_text(_LOGGING.format(decisions=decisions))
    options = [f"-Dlog4j2.configurationFile={logging}"]
    broker = KafkaBroker(folder, settings, [scram, mutual, token], options)
    secured = SecuredKafka(
        plain=broker.address,
        scram=scram.advertised,
        mutual=mutual.advertised,
        token=token.advertised,
        ca=str(authority.ca),
        wrong_ca=str(other.ca),
        certificate=str(certificate),
        key=str(key),
        decisions=str(decisions),
    )
    return broker, secured


def add_users(address: str) -> None:
    """Makes those of ``PASSWORDS`` known at the broker whose open ``address`` it is."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    users: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, kind, word.encode()) for user, word in PASSWORDS.items()
    ]
    for each in admin.alter_user_scram_credentials(users).values():
        each.result(10)


def unsecured_token(life_s: float) -> tuple[str, float]:
    """A JSON web token of ``mirror`` without a signature, and when it expires: seconds since the epoch.

    With less than six seconds of life the broker is asked to renew one more often than it allows: once a second.
    """
    now = time.time()
    parts = ({"alg": "none"}, {"sub": "mirror", "iat": now, "exp": now + life_s})
    texts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{'.'.join(texts)}.", now + life_s


def _settings(keystore: str, truststore: str) -> Mapping[str, str]:
    login = "org.apache.kafka.common.security"
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:mirror;User:CN=mirror",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keystore,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": truststore,
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "listener.name.token.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.token.oauthbearer.sasl.jaas.config": (
            f'{login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
        ),
        "listener.name.token.oauthbearer.connections.max.reauth.ms": str(REAUTHENTICATION_MS),
    }
