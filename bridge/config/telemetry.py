"""Where a process tells of itself beside its HTTP endpoints."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from bridge.config.names import Endpoint
from bridge.config.quantities import Duration, Share, allowed
from bridge.config.section import Section

_NAMESPACE = re.compile(r"(?!AWS/)[A-Za-z0-9_./#:-]{1,255}", re.ASCII)
_DIMENSION = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,254}", re.ASCII)
_VALUE = re.compile(r"(?=.*\S)[\x20-\x7e]{1,1024}", re.ASCII)
_OURS = ("mirror", "partition", "operation", "reason", "state")
_MOST = 6


def _namespace(value: str) -> str:
    if not _NAMESPACE.fullmatch(value):
        raise allowed("a CloudWatch namespace, which does not begin with AWS/")
    return value


def _interval(value: float) -> float:
    if not 1 <= value <= 3600:
        raise allowed("1s to 1h")
    return value


def _dimensions(value: dict[str, str]) -> dict[str, str]:
    if len(value) > _MOST or any(name.startswith("kmbridge_") or name in _OURS for name in value):
        raise allowed(f"at most {_MOST} dimensions, none called {', '.join(_OURS)}")
    if not all(_DIMENSION.fullmatch(name) and _VALUE.fullmatch(text) for name, text in value.items()):
        raise allowed("names and values of CloudWatch dimensions, in ASCII")
    return value


def _ratio(value: float) -> float:
    if value > 1:
        raise allowed("above 0, up to 1")
    return value


class Emf(Section):
    namespace: Annotated[str, AfterValidator(_namespace)] = Field(
        default="kmbridge", description="Of the metrics in CloudWatch."
    )
    interval: Annotated[Duration, AfterValidator(_interval)] = Field(
        default=60.0, description="Between two lines of each mirror.", json_schema_extra={"default": "60s"}
    )
    per_partition: bool = Field(
        default=False, description="Metrics of each partition beside those over all; each is paid for."
    )
    dimensions: Annotated[dict[str, str], AfterValidator(_dimensions)] = Field(
        default_factory=dict, description="More of them for every metric, as environment: production."
    )


class Traces(Section):
    endpoint: Endpoint = Field(
        default="http://127.0.0.1:4318/v1/traces", description="Where OTLP is taken over HTTP, as by a collector."
    )
    sample_ratio: Annotated[Share, AfterValidator(_ratio)] = Field(
        default=1.0, description="How many of the batches are traced, above 0 and up to 1."
    )


class Telemetry(Section):
    emf: Emf | None = Field(
        default=None, description="Metrics for CloudWatch, in its embedded metric format on standard output."
    )
    traces: Traces | None = Field(
        default=None, description="OpenTelemetry traces of batches; needs the extra kmbridge[otel]."
    )
