"""How a mirror makes itself known to a cluster of Kafka."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, SecretStr, Tag, model_validator

from bridge.config.names import RoleArn
from bridge.config.quantities import allowed
from bridge.config.section import Section, at, text_or_section

_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):\d{12}:secret:\S+")
_FORMS = "none, or a section with scram: {…} or iam: {…}, tls: {…} beside it or alone"


def _secret_arn(value: str) -> str:
    if not _SECRET_ARN.fullmatch(value):
        raise allowed("the ARN of a secret, as arn:aws:secretsmanager:REGION:ACCOUNT:secret:AmazonMSK_NAME")
    return value


class TlsAuth(Section):
    """How the connection is encrypted, whom it trusts, and the certificate that says who the mirror is."""

    ca: Path | None = Field(
        default=None, description="PEM file of the authorities to trust; left out: those of the system."
    )
    certificate: Path | None = Field(default=None, description="PEM file with which the mirror says who it is.")
    key: Path | None = Field(default=None, description="PEM file of the certificate's key.")
    key_password: SecretStr | None = Field(default=None, description="Of an encrypted key.")
    unsafe_skip_certificate_checks: bool = Field(
        default=False, description="Takes whoever answers for the broker. For experiments alone."
    )

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if self.certificate is not None and self.key is None:
            raise at("key", "the file of the certificate's key")
        if self.key is not None and self.certificate is None:
            raise at("certificate", "the file of the certificate, beside its key")
        if self.key_password is not None and self.key is None:
            raise at("key_password", "left out, where there is no key")
        return self


class ScramAuth(Section):
    """User and password by SCRAM-SHA-512, from the environment or from AWS Secrets Manager."""

    username: str | None = Field(default=None, description="Beside password; or secret_arn in the place of both.")
    password: SecretStr | None = Field(default=None, description="Of the user; from the environment, by ${VARIABLE}.")
    secret_arn: Annotated[str, AfterValidator(_secret_arn)] | None = Field(
        default=None, description="A secret of AWS Secrets Manager that holds both, as MSK wants it: AmazonMSK_…"
    )

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        given = [key for key in ("username", "password") if getattr(self, key) is not None]
        if self.secret_arn is not None and given:
            raise at(given[0], "left out beside secret_arn, which holds it")
        if self.secret_arn is None and len(given) < 2:
            missing = "password" if "username" in given else "username"
            raise at(missing, "a text, as password: ${KAFKA_PASSWORD}; or secret_arn instead of both")
        return self

    @property
    def secret_region(self) -> str | None:
        """Where the secret is; None where there is none."""
        found = None if self.secret_arn is None else _SECRET_ARN.fullmatch(self.secret_arn)
        return None if found is None else found["region"]


class IamAuth(Section):
    """A role at Amazon MSK, by tokens that are renewed as long as the mirror runs."""

    region: str | None = Field(default=None, description="Left out: the cluster's, else that of the AWS environment.")
    assume_role_arn: RoleArn | None = Field(default=None, description="The role as which to come.")


class AuthSection(Section):
    """Who the mirror is for the cluster: by scram or iam, with tls beside it where that is needed, or by tls alone."""

    tls: TlsAuth | None = None
    scram: ScramAuth | None = None
    iam: IamAuth | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_login(cls, value: Any) -> Any:
        known = [key for key in cls.model_fields if isinstance(value, dict) and value.get(key) is not None]
        unknown = isinstance(value, dict) and not value.keys() <= cls.model_fields.keys()
        if not unknown and (not known or {"scram", "iam"} <= set(known)):
            raise allowed(_FORMS)
        return value


def _kind(value: Any) -> Any:
    if value != "none" and not isinstance(value, dict | AuthSection):
        raise allowed(_FORMS)
    return value


Auth = Annotated[
    Annotated[Literal["none"], Tag("<text>")] | Annotated[AuthSection, Tag("<section>")],
    Discriminator(text_or_section),
    BeforeValidator(_kind),
]
