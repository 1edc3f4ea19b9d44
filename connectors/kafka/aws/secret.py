"""User and password of a cluster of Amazon MSK, as they are kept in AWS Secrets Manager."""

import msgspec

from connectors.base import RefusedError
from connectors.kafka.aws.identity import Identity, explained


class Login(msgspec.Struct, frozen=True):
    """What MSK wants a secret to hold, whose name begins with ``AmazonMSK_``."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.username!r}, …)"


def login(identity: Identity, secret_arn: str) -> Login:
    """What the secret holds now. Blocks.

    Raises ``RefusedError`` where it may not be read or holds something else, ``UnreachableError`` without an answer.
    """
    operation = f"read secret {secret_arn}"
    client = identity.client("secretsmanager")
    with explained(operation):
        answer = client.get_secret_value(SecretId=secret_arn)
    try:
        return msgspec.json.decode(answer.get("SecretString", ""), type=Login)
    except msgspec.DecodeError:
        # What was read, and where it is wrong, would show a part of it.
        raise RefusedError(
            operation, "it is not what MSK keeps", 'let it hold {"username": "…", "password": "…"} as text'
        ) from None
