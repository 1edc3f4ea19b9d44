"""A step that makes records readable for those who ask another schema registry."""

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, SecretStr, Tag, model_validator

from bridge.config.auth import TlsAuth
from bridge.config.names import Endpoint, listed
from bridge.config.quantities import allowed
from bridge.config.section import Choice, Section, at, text_or_section
from connectors.schemas.definition import Compatibility
from connectors.schemas.definition import Field as Half
from connectors.schemas.naming import PLACES, STRATEGIES, places
from connectors.schemas.settings import (
    DEFAULT_REGISTRY,
    ConfluentSettings,
    GlueSettings,
    SchemaSettings,
    Unknown,
)

_REGISTRY = re.compile(r"[a-zA-Z0-9_$#.-]{1,255}")
_FORMS = ("glue: {registry: REGISTRY}", "confluent: {url: URL}")


def _registry_name(value: str) -> str:
    if not _REGISTRY.fullmatch(value):
        raise allowed("a registry's name: 1 to 255 of a-z, A-Z, 0-9, _ $ # . -")
    return value


def _urls(value: Any) -> Any:
    return listed(value, "a URL, as https://registry:8081, or a list of them")


def _subject(value: str) -> str:
    try:
        unknown = [place for place in places(STRATEGIES.get(value, value)) if place not in PLACES]
    except ValueError:
        unknown = [value]
    if unknown or (value not in STRATEGIES and "{" not in value):
        braced = ", ".join(f"{{{place}}}" for place in PLACES)
        raise allowed(f"{', '.join(STRATEGIES)}, or a text with some of {braced}")
    return value


class FromGlue(Section):
    """A registry of AWS Glue."""

    registry: Annotated[str, AfterValidator(_registry_name)] = Field(
        default=DEFAULT_REGISTRY, description="Its name; any but the default has to be there."
    )
    region: str | None = Field(default=None, description="Left out: that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(default=None, description="Left out: AWS.")

    @property
    def settings(self) -> GlueSettings:
        return GlueSettings(self.registry, self.region, self.endpoint_url)


class ToGlue(FromGlue):
    """A registry of AWS Glue, and how records are written for those who ask it."""

    compression: Literal["none", "zlib"] = Field(default="none", description="Of bodies, as Glue's serializers do it.")

    @property
    def settings(self) -> GlueSettings:
        return GlueSettings(self.registry, self.region, self.endpoint_url, self.compression == "zlib")


class FromConfluent(Section):
    """A registry of Confluent's kind: Confluent's own, Karapace, Apicurio, Redpanda."""

    url: Annotated[tuple[Endpoint, ...], BeforeValidator(_urls)] = Field(
        description="Where it answers; several of one registry with commas, or as a list."
    )
    username: str | None = Field(default=None, description="Beside password; a key of the API at Confluent Cloud.")
    password: SecretStr | None = Field(default=None, description="Of the user; from the environment, by ${VARIABLE}.")
    tls: TlsAuth | None = Field(default=None, description="For https: whom to trust, and who the mirror is.")

    @model_validator(mode="after")
    def _user_and_password(self) -> Self:
        if self.username is not None and self.password is None:
            raise at("password", "a text, as password: ${REGISTRY_PASSWORD}, beside username")
        if self.password is not None and self.username is None:
            raise at("username", "a text beside password")
        return self

    @property
    def settings(self) -> ConfluentSettings:
        return self._settings(in_header=False)

    def _settings(self, *, in_header: bool) -> ConfluentSettings:
        login = None if self.password is None else (self.username or "", self.password.get_secret_value())
        return ConfluentSettings(self.url, login, _tls(self.tls), in_header)


class ToConfluent(FromConfluent):
    """A registry of Confluent's kind, and how records are written for those who ask it."""

    framing: Literal["prefix", "header"] = Field(
        default="prefix",
        description="Where a record says which schema it has: prefix, an id before the body; header, a GUID in "
        "a header, which takes a registry that has them.",
    )

    @property
    def settings(self) -> ConfluentSettings:
        return self._settings(in_header=self.framing == "header")


class _From(Choice):
    """Of records as they are read: exactly one of the two."""

    forms: ClassVar[tuple[str, ...]] = _FORMS

    glue: FromGlue | None = None
    confluent: FromConfluent | None = None


class _To(Choice):
    """Of records as they are written: exactly one of the two."""

    forms: ClassVar[tuple[str, ...]] = _FORMS

    glue: ToGlue | None = None
    confluent: ToConfluent | None = None


def _kind(value: Any) -> Any:
    if value != "glue" and not isinstance(value, dict | Section):
        raise allowed(f"glue, or a section with exactly one of {' and '.join(_FORMS)}")
    return value


_Word = Annotated[Literal["glue"], Tag("<text>")]
_FromEnd = _Word | Annotated[_From, Tag("<section>")]
_ToEnd = _Word | Annotated[_To, Tag("<section>")]

RegistryEnd = Literal["glue"] | _From | _To


class Schemas(Section):
    """From which registry to which."""

    from_: Annotated[_FromEnd, Discriminator(text_or_section), BeforeValidator(_kind)] = Field(
        alias="from", description="Whose ids records have; glue alone is its default registry."
    )
    to: Annotated[_ToEnd, Discriminator(text_or_section), BeforeValidator(_kind)] = Field(
        description="Whose ids they are to have."
    )
    subject: Annotated[str, AfterValidator(_subject)] = Field(
        default="topic_name",
        description="As what a schema is registered: topic_name, TOPIC-key or TOPIC-value; record_name, its own name; "
        "topic_record_name, TOPIC-NAME; or a text with {topic}, {field}, {record} and {subject}, which is what it is "
        "called in the other registry. TOPIC is that of the sink, or its stream.",
        json_schema_extra={"examples": [*STRATEGIES, "{subject}"]},
    )
    fields: tuple[Half, ...] = Field(default=(Half.KEY, Half.VALUE), description="What of a record may have a schema.")
    compatibility: Literal["same", "none", "backward", "forward", "full", "backward_all", "forward_all", "full_all"] = (
        Field(
            default="same",
            description="What a new subject gets: same, as in the other registry; Confluent says transitive for all.",
        )
    )
    unknown: Literal["stop", "dead_letter", "pass"] = Field(
        default="stop",
        description="What becomes of a record with the id of a schema that its registry does not have: stop, the lane "
        "is held until it does; pass, the record goes on as it is.",
    )

    def settings(self, read: str, written: str) -> SchemaSettings:
        """For records of ``read``, a topic's or a stream's name, that go to ``written``."""
        same = self.compatibility == "same"
        return SchemaSettings(
            settings_of(self.from_),
            settings_of(self.to),
            read,
            written,
            self.subject,
            self.fields,
            None if same else Compatibility(self.compatibility.upper()),
            Unknown(self.unknown),
        )


class SchemasTransform(Section):
    """Records of one schema registry become those of another; bodies stay as they are. Needs kmbridge[schemas]."""

    schemas: Schemas


def settings_of(end: RegistryEnd) -> GlueSettings | ConfluentSettings:
    """Of a word or a section."""
    if isinstance(end, str):
        return GlueSettings()
    given = end.glue or end.confluent
    assert given is not None  # noqa: S101 - a choice has exactly one
    return given.settings


def _tls(section: TlsAuth | None) -> dict[str, object]:
    """As the client names it; it takes a false place of authorities for whoever answers."""
    if section is None:
        return {}
    named = {
        "ssl.ca.location": False if section.unsafe_skip_certificate_checks else section.ca and str(section.ca),
        "ssl.certificate.location": section.certificate and str(section.certificate),
        "ssl.key.location": section.key and str(section.key),
        "ssl.key.password": section.key_password and section.key_password.get_secret_value(),
    }
    return {key: value for key, value in named.items() if value is not None}
