"""Credentials as the AWS tools find them, kept fresh for as long as a mirror runs."""

import asyncio
from typing import Any, NamedTuple

from aiobotocore.credentials import AioAssumeRoleCredentialFetcher, AioDeferredRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from connectors.base import ConnectorError, RefusedError, TransientError

_OPERATION = "find AWS credentials"


class Keys(NamedTuple):
    """What a request is signed with. Has the shape that botocore's signer expects."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return f"Keys({self.access_key!r}, …)"


class Credentials:
    """Looks keys up where the AWS tools do, in the role ``assume_role_arn`` if one is given.

    Temporary keys are renewed before they expire, by aiobotocore; keys that the server calls expired earlier, and ones
    that were replaced in a file or an environment, by ``renew``.
    """

    def __init__(self, profile: AioSession, region: str, assume_role_arn: str | None) -> None:
        self._session = profile
        self._region = region
        self._role = assume_role_arn
        self._found: Any = None
        self._renewing = asyncio.Lock()

    async def keys(self) -> Keys:
        """The keys of now. Raises ``RefusedError`` without any, ``TransientError`` where their source is down."""
        try:
            if self._found is None:
                self._found = await self._find()
            frozen = await self._found.get_frozen_credentials()
        except (BotoCoreError, ClientError, OSError) as error:
            raise self._translated(error) from error
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    async def renew(self, used: Keys) -> bool:
        """Look the keys up anew because the server does not take ``used``. False when they are still the same."""
        async with self._renewing:
            if await self.keys() == used:
                self._session = AioSession(profile=self._session.profile)
                self._found = None
            return await self.keys() != used

    async def _find(self) -> Any:
        found = await self._session.get_credentials()
        if found is None:
            raise RefusedError(
                _OPERATION,
                "there are none",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role",
            )
        if self._role is None:
            return found
        # Making a client reads botocore's files; what is read before, from a thread, it does not read again.
        await asyncio.to_thread(self._session.warm_up_loader_caches, "sts")
        fetcher = AioAssumeRoleCredentialFetcher(
            self._client, found, self._role, extra_args={"RoleSessionName": "kmbridge"}
        )
        return AioDeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")

    def _client(self, service: str, **arguments: Any) -> Any:
        return self._session.create_client(service, region_name=self._region, **arguments)

    def _translated(self, error: Exception) -> ConnectorError:
        operation = f"assume role {self._role}" if self._role is not None else _OPERATION
        if isinstance(error, HTTPClientError | BotoConnectionError | OSError):
            return TransientError(operation, str(error))
        return RefusedError(operation, str(error), "check the profile, and who may assume the role")
