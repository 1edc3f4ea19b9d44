"""AWS credentials for what is asked of AWS from threads, kept fresh for as long as a mirror runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, cast

import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, NoRegionError
from botocore.exceptions import ConnectionError as BotoConnectionError

from connectors.aws import told_region
from connectors.base import ConnectorError, RefusedError, SettingsError, UnreachableError

_CALLS = Config(connect_timeout=4, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 2})
_FIND = "find AWS credentials"
_NONE = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role"


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests are signed with, as botocore's signers take it, and when it expires: seconds since the epoch."""

    frozen: ReadOnlyCredentials = field(repr=False)
    expires: float


class Identity:
    """Who we are in one region: what the AWS tools find, in the role ``assume_role_arn`` if one is given.

    Temporary keys are renewed before they expire. Calls block; any thread may make them, several at a time.
    """

    def __init__(self, region: str | None, assume_role_arn: str | None = None) -> None:
        """Without a ``region`` it is that of the AWS environment."""
        self._region = region
        self._role = assume_role_arn
        self._session: Any = None
        self._found: Any = None
        self._finding = Lock()

    @property
    def region(self) -> str:
        """Raises ``SettingsError`` where none is given, and the environment names none."""
        with explained("find the AWS region", self._role):
            found = told_region(self._region) or self._opened().get_config_variable("region")
        if not found:
            raise SettingsError("find the AWS region", "none is given", "set auth.iam.region, or AWS_REGION")
        return str(found)

    def keys(self) -> Keys:
        """The keys of now. Raises ``RefusedError`` without any, ``UnreachableError`` where their source is down."""
        with self._finding, explained(_FIND, self._role):
            if self._found is None:
                self._found = self._find()
            found = self._found
        with explained(_FIND, self._role):
            return Keys(found.get_frozen_credentials(), _expiry(found))

    def client(self, service: str) -> Any:
        """A client for calls of now: its keys are not renewed. Raises ``ConnectorError``."""
        keys = self.keys().frozen
        with explained(f"reach {service}", self._role):
            return self._opened().create_client(
                service,
                region_name=self.region,
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.token,
                config=_CALLS,
            )

    def _find(self) -> Any:
        session = self._opened()
        found = session.get_credentials()
        if found is None:
            raise RefusedError(_FIND, "there are none", _NONE)
        if self._role is None:
            return found

        def client(service: str, **arguments: Any) -> Any:
            return session.create_client(service, region_name=self.region, config=_CALLS, **arguments)

        fetcher = AssumeRoleCredentialFetcher(client, found, self._role, extra_args={"RoleSessionName": "kmbridge"})
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")

    def _opened(self) -> Any:
        if self._session is None:
            self._session = botocore.session.Session()
        return self._session


def _expiry(credentials: Any) -> float:
    """Botocore has no public name for it, and none at all for the keys of a user, which do not expire."""
    found = cast("datetime | None", getattr(credentials, "_expiry_time", None))
    return float("inf") if found is None else found.timestamp()


@contextmanager
def explained(operation: str, role: str | None = None) -> Iterator[None]:
    """Turns what botocore raises into an error of ours, in one line."""
    try:
        yield
    except (NoCredentialsError, NoRegionError) as error:
        raise RefusedError(operation, str(error), _NONE) from None
    except ClientError as error:
        if error.operation_name == "AssumeRole":
            hint = "grant sts:AssumeRole on the role, whose trust policy has to name us too"
            raise RefusedError(f"assume role {role}", _said(error), hint) from None
        raise refusal(operation, error) from None
    except (HTTPClientError, BotoConnectionError, OSError) as error:
        raise UnreachableError(operation, str(error), "check the network, the region and AWS_ENDPOINT_URL") from None
    except BotoCoreError as error:
        raise RefusedError(operation, str(error), "check AWS_PROFILE and its files, and the region") from None


def refusal(operation: str, error: ClientError) -> ConnectorError:
    """What an answer of AWS means that is none."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or "Throttl" in code or code == "TooManyRequestsException":
        return UnreachableError(operation, _said(error), "it may pass: try again")
    hints = {
        "AccessDeniedException": f"grant {_action(error.operation_name)}",
        "ForbiddenException": f"grant {_action(error.operation_name)}",
        "ExpiredTokenException": "the session token has expired: renew the credentials",
        "ExpiredToken": "the session token has expired: renew the credentials",
    }
    return RefusedError(
        operation, _said(error), hints.get(code, "check the ARN, its region and which credentials are in use")
    )


def _said(error: ClientError) -> str:
    told = error.response.get("Error", {})
    return f"{told.get('Code', 'refused')}: {told.get('Message') or 'without a reason'}"


def _action(operation: str) -> str:
    return {
        "GetBootstrapBrokers": "kafka:GetBootstrapBrokers on the cluster",
        "GetSecretValue": "secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key",
    }.get(operation, operation)
