"""A cluster of Kafka as it is asked for: by its brokers, or by its ARN at Amazon MSK; and how it is entered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, model_validator

from bridge.config.auth import Auth, AuthSection
from bridge.config.names import Servers
from bridge.config.quantities import allowed
from bridge.config.section import Section, at
from connectors.kafka.auth import OWNED, Open, Scram, Tls
from connectors.kafka.auth import Auth as Login

CLUSTER_ARN = re.compile(
    r"arn:aws[a-z-]*:kafka:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):cluster/(?P<cluster>[^/\s]+/\S+)"
)
_MSK_BROKER = re.compile(r".+\.kafka(?:-serverless)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?:\d+")


def _cluster_arn(value: str) -> str:
    if not CLUSTER_ARN.fullmatch(value):
        raise allowed("the ARN of an MSK cluster, as arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID")
    return value


@dataclass(frozen=True, slots=True)
class Found:
    """What only AWS knows of a cluster, once it was asked."""

    servers: tuple[str, ...]
    auth: Login


class KafkaCluster(Section):
    """Its brokers by one of two keys, or by none, where another section has them."""

    bootstrap_servers: Servers | None = Field(default=None, description="HOST:PORT of some brokers.")
    msk_cluster_arn: Annotated[str, AfterValidator(_cluster_arn)] | None = Field(
        default=None, description="In place of bootstrap_servers: they are asked of MSK, for the auth that is set."
    )
    msk_connectivity: Literal["private", "public", "vpc"] = Field(
        default="private", description="Which of the addresses of an MSK cluster; vpc: multi-VPC connectivity."
    )
    auth: Auth = "none"

    _found: Found | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _one_names_it(self) -> Self:
        if self.bootstrap_servers is not None and self.msk_cluster_arn is not None:
            raise at("msk_cluster_arn", "left out beside bootstrap_servers: either says where the cluster is")
        if self.msk_cluster_arn is None and "msk_connectivity" in self.model_fields_set:
            raise at("msk_connectivity", "left out, where there is no msk_cluster_arn")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What the cluster is told from others by: addresses of its brokers, or its ARN; empty where it has none."""
        return self.bootstrap_servers or (() if self.msk_cluster_arn is None else (self.msk_cluster_arn,))

    @property
    def servers(self) -> tuple[str, ...]:
        """``HOST:PORT`` of some brokers. Those of an ARN are known once the configuration is ``located``."""
        if self._found is not None:
            return self._found.servers
        if self.msk_cluster_arn is not None:
            raise RuntimeError("the brokers of an ARN are not located yet")
        return self.bootstrap_servers or ()

    @property
    def login(self) -> Login:
        """Who we are at its brokers. What takes AWS is known once the configuration is ``located``."""
        if self._found is not None:
            return self._found.auth
        section = self.auth
        if isinstance(section, AuthSection) and (section.iam is not None or _has_secret(section)):
            raise RuntimeError("who we are is not located yet")
        return Open() if isinstance(section, str) else _login(section)

    @property
    def region(self) -> str | None:
        """The cluster's region at AWS, as far as its names tell it."""
        for name in self.names:
            if (told := CLUSTER_ARN.fullmatch(name) or _MSK_BROKER.fullmatch(name)) is not None:
                return told["region"]
        return None

    @property
    def is_serverless(self) -> bool:
        """Whether it is of MSK Serverless, as far as its names tell it."""
        return any(".kafka-serverless." in name for name in self.names)

    @property
    def wants_locating(self) -> bool:
        """Whether AWS has still to tell something about it, or it has still to let us in."""
        return self._found is None and (self.auth != "none" or self.msk_cluster_arn is not None)

    @property
    def skips_certificate_checks(self) -> bool:
        """Whether whoever answers is taken for the broker."""
        return isinstance(self.auth, AuthSection) and not tls_of(self.auth).checks_certificates

    def located(self, found: Found) -> Self:
        """The same, with what was found."""
        copy = self.model_copy()
        copy._found = found  # noqa: SLF001
        return copy

    def located_as(self, other: "KafkaCluster") -> Self:
        """The same, with what was found of ``other``: the same cluster, entered in the same way."""
        copy = self.model_copy()
        copy._found = other._found  # noqa: SLF001
        return copy


def tls_of(section: AuthSection) -> Tls:
    """How the connection is encrypted, also where ``tls`` is left out."""
    tls = section.tls
    if tls is None:
        return Tls()
    return Tls(
        ca=None if tls.ca is None else str(tls.ca),
        certificate=None if tls.certificate is None else str(tls.certificate),
        key=None if tls.key is None else str(tls.key),
        key_password=None if tls.key_password is None else tls.key_password.get_secret_value(),
        checks_certificates=not tls.unsafe_skip_certificate_checks,
    )


def _login(section: AuthSection) -> Login:
    scram = section.scram
    if scram is None or scram.username is None or scram.password is None:
        return tls_of(section)
    return Scram(scram.username, scram.password.get_secret_value(), tls_of(section))


def _has_secret(section: AuthSection) -> bool:
    return section.scram is not None and section.scram.secret_arn is not None


def set_by_auth(section: AuthSection | str, librdkafka: Mapping[str, str | SecretStr]) -> list[str]:
    """The keys of ``librdkafka`` that are ``section``'s to set, sorted."""
    return sorted(OWNED.intersection(librdkafka)) if isinstance(section, AuthSection) else []
