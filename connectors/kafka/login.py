"""Whether a cluster lets us in, and if not, why: asked once, before anything is made that would go on asking."""

import re
import socket
import ssl

from confluent_kafka import KafkaError, KafkaException

from connectors.base import ConnectorError, RefusedError, SettingsError, UnreachableError
from connectors.kafka.connection import Connection, admin_client, kafka_error, readable, translate

ANSWER_S = 8.0
"""After so long a cluster that says nothing counts as unreachable; a login takes a second or so at the most."""

_STEP_S = 0.25
_PROBE_S = 4.0
_ADDRESS = re.compile(r"://(?P<host>[^/\s]+?):(?P<port>\d+)(?=[:/])")
_FILES = {
    "ssl.ca.location": ("auth.tls.ca", ""),
    "ssl.certificate.location": ("auth.tls.certificate", ""),
    "ssl.key.location": ("auth.tls.key", ", and auth.tls.key_password the password of the key"),
}
_ALERTS = ("alert bad certificate", "alert certificate required", "alert handshake failure")
_DENIED = {
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED,
}
_HINTS = {
    "none": "check the sasl and ssl settings under librdkafka",
    "tls": "check auth.tls.certificate, and who has signed it",
    "scram": "check auth.scram: username and password, or the secret, which has to be associated with the cluster",
    "iam": "grant kafka-cluster:Connect on the cluster; check auth.iam and this machine's clock",
}


def log_in(connection: Connection, answer_s: float = ANSWER_S) -> None:
    """Returns once a broker has let us in. Blocks, for ``answer_s`` and a probe of some seconds at the most.

    Raises ``SettingsError`` for files that cannot be used, ``RefusedError`` with the reason for which we are kept out,
    and ``UnreachableError`` without an answer.
    """
    errors: list[KafkaError] = []
    settings = connection.settings()
    try:
        admin = admin_client(settings, errors.append)
    except KafkaException as error:
        raise _unusable(kafka_error(error), connection) from None
    for _ in range(round(answer_s / _STEP_S)):
        try:
            admin.list_topics(timeout=_STEP_S)
        except KafkaException:
            admin.poll(0)
        else:
            return
        for each in errors:
            if (refusal := _refusal(each, connection)) is not None:
                raise refusal
    told = [each for each in errors if each.code() != KafkaError._ALL_BROKERS_DOWN]  # noqa: SLF001
    raise UnreachableError(
        _operation(connection),
        readable(told[-1].str()) if told else f"no answer within {answer_s:.0f} s",
        f"check address and network, and that the port is the one for auth {connection.auth.kind}",
    )


def _operation(connection: Connection) -> str:
    return f"log in to Kafka at {connection.bootstrap_servers}"


def _unusable(error: KafkaError, connection: Connection) -> ConnectorError:
    """What keeps a client from being made: mostly a file."""
    for name, (key, more) in _FILES.items():
        if f"{name} failed" in error.str():
            path = connection.settings().get(name)
            hint = f"let it name a PEM file that this user may read{more}"
            return SettingsError(_operation(connection), f"{key} cannot be used: {path}", hint)
    return translate(error, _operation(connection), "")


def _refusal(error: KafkaError, connection: Connection) -> RefusedError | None:
    """Why we are kept out; None where ``error`` is about something else."""
    operation, text = _operation(connection), readable(error.str())
    if "certificate verify failed" in text:
        return RefusedError(
            operation,
            f"the broker's certificate is not trusted: {_distrust(connection, text)}",
            "set auth.tls.ca to the authority that signed it, and name the brokers as the certificate does",
        )
    if any(alert in text for alert in _ALERTS):
        return RefusedError(
            operation,
            "the broker wants a certificate of ours, or another one than it has got",
            "set auth.tls.certificate and auth.tls.key, signed by an authority that the cluster trusts; "
            f"or use the port for auth {connection.auth.kind}",
        )
    if error.code() not in _DENIED:
        return None
    cause = re.sub(r"^\S+: (SASL authentication error: )?", "", text)
    if "mechanism handshake failed" in text:
        return RefusedError(operation, cause, f"use the port for auth {connection.auth.kind}")
    return RefusedError(operation, cause, _HINTS[connection.auth.kind])


def _distrust(connection: Connection, text: str) -> str:
    """What is wrong with a broker's certificate. librdkafka says one and the same of everything that can be."""
    unknown = "it cannot be verified"
    address, ca = _ADDRESS.search(text), connection.settings().get("ssl.ca.location")
    if address is None:
        return unknown
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
        with (
            socket.create_connection((address["host"].strip("[]"), int(address["port"])), _PROBE_S) as connected,
            context.wrap_socket(connected, server_hostname=address["host"].strip("[]")),
        ):
            return unknown
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return unknown
