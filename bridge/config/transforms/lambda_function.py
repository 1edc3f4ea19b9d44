"""A step that is a function of AWS Lambda."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from bridge.config.names import Endpoint
from bridge.config.quantities import Count, Duration, allowed
from bridge.config.section import Section
from bridge.config.transforms.handler import ATTEMPTS, BATCH, Event

_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":function:(?P<name>[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?)"
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?")


def _function(value: str) -> str:
    if not (_NAME.fullmatch(value) or _ARN.fullmatch(value)):
        raise allowed("a function's name, NAME:ALIAS, or its ARN")
    return value


class LambdaFunction(Section):
    """A function of AWS Lambda, called with the records as the events that it knows."""

    function: Annotated[str, AfterValidator(_function)] = Field(
        description="Name, NAME:ALIAS or ARN.", json_schema_extra={"examples": ["orders-cleaner"]}
    )
    event: Event = Field(
        default="kinesis",
        description="kinesis: a consumer, which changes nothing; firehose: a transformation, which says Ok, Dropped or "
        "ProcessingFailed of each record.",
    )
    batch: Count = Field(default=BATCH, description="The most records of one call; fewer where they are above 6 MB.")
    attempts: Count = Field(default=ATTEMPTS, description="How often a record that fails is tried before `on_error`.")
    timeout: Duration = Field(
        default=30.0,
        description="How long one call may take. After that the lane shows it and tries again.",
        json_schema_extra={"default": "30s"},
    )
    region: str | None = Field(default=None, description="Left out: the ARN's, else that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(default=None, description="Another server than AWS.")

    @property
    def reached_in(self) -> str | None:
        """The region to call; None: that of the environment."""
        arn = _ARN.fullmatch(self.function)
        return self.region or (None if arn is None else arn["region"])

    @property
    def account(self) -> str | None:
        """None: that of the environment."""
        arn = _ARN.fullmatch(self.function)
        return None if arn is None else arn["account"]

    @property
    def name(self) -> str:
        """Without region and account; its alias with it."""
        arn = _ARN.fullmatch(self.function)
        return self.function if arn is None else arn["name"]


class LambdaTransform(Section):
    lambda_: LambdaFunction = Field(alias="lambda")
