"""Tokens by which Amazon MSK knows an IAM role: signed by AWS's own signer, renewed by whoever asks again."""

import logging
import time
from collections.abc import Callable
from threading import Lock

from botocore.credentials import CredentialProvider, ReadOnlyCredentials

from connectors.base import ConnectorError, RefusedError
from connectors.kafka.auth import Token
from connectors.kafka.aws.identity import Identity, explained

_OPERATION = "sign a token for MSK"
_SAY_S = 30.0

log = logging.getLogger(__name__)


class Tokens:
    """Makes a token whenever a client of Kafka asks. Any thread may ask, several at a time; it may block for seconds.

    A token lasts for 15 minutes, as the signer has it, and never longer than the keys that it is signed with. While
    new keys cannot be had the last token serves as long as it is valid.
    """

    def __init__(self, identity: Identity, now: Callable[[], float] = time.time) -> None:
        self._identity = identity
        self._now = now
        self._last: Token | None = None
        self._said = 0.0
        self._saying = Lock()

    def __call__(self, _config: str) -> Token:
        """As librdkafka calls it. Raises ``ConnectorError``, which is logged too: librdkafka does not tell it."""
        try:
            self._last = self.sign()
        except ConnectorError as error:
            self._say(error)
            if self._last is None or self._last[1] <= self._now():
                raise
        return self._last

    def sign(self) -> Token:
        """A new token. Raises ``RefusedError`` where a person must act, and ``UnreachableError`` where STS is away."""
        # It loads boto3, and only a cluster that knows IAM roles asks for tokens.
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415

        keys = self._identity.keys()
        with explained(_OPERATION):
            token, expires_ms = MSKAuthTokenProvider.generate_auth_token_from_credentials_provider(
                self._identity.region, _Given(keys.frozen)
            )
        expires = min(expires_ms / 1000, keys.expires)
        if expires <= self._now():
            raise RefusedError(_OPERATION, "the credentials have expired", "renew them where they come from")
        return token, expires

    def _say(self, error: ConnectorError) -> None:
        """Once in a while: each client asks for itself."""
        with self._saying:
            now = self._now()
            if now - self._said < _SAY_S:
                return
            self._said = now
        log.warning("no new token for MSK: %s", error)


class _Given(CredentialProvider):  # type: ignore[misc]
    """Hands the signer the keys that there are."""

    def __init__(self, keys: ReadOnlyCredentials) -> None:
        super().__init__()
        self._keys = keys

    def load(self) -> ReadOnlyCredentials:
        return self._keys
