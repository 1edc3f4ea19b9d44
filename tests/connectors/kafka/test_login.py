"""What a cluster's door says, told in one line that names the setting: against a real broker with locks on it."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from connectors.base import ConnectorError, RefusedError, SettingsError, UnreachableError
from connectors.kafka.auth import Auth, Bearer, Scram, Tls, Token
from connectors.kafka.connection import Connection
from connectors.kafka.login import ANSWER_S, log_in
from tests.support.certificates import KEY_PASSWORD
from tests.support.secured_kafka import PASSWORDS, SecuredKafka, unsecured_token
from tests.support.waiting import wait_until


def scram(broker: SecuredKafka, **changes: Any) -> Scram:
    return replace(Scram("mirror", PASSWORDS["mirror"], Tls(ca=broker.ca)), **changes)


def mutual(broker: SecuredKafka, **changes: Any) -> Tls:
    return replace(Tls(broker.ca, broker.certificate, broker.key, KEY_PASSWORD), **changes)


def refused(address: str, auth: Auth, answer_s: float = ANSWER_S) -> ConnectorError:
    """What logging in raises, which is one line, and holds no secret."""
    with pytest.raises(ConnectorError) as told:
        log_in(Connection(address, "test", {}, auth), answer_s)
    text = str(told.value)
    assert "\n" not in text
    assert not any(word in text for word in (*PASSWORDS.values(), KEY_PASSWORD, "hunter2"))
    return told.value


def test_user_and_password_open(secured_kafka: SecuredKafka) -> None:
    """By SCRAM-SHA-512, over TLS."""
    log_in(Connection(secured_kafka.scram, "test", {}, scram(secured_kafka)))


def test_a_certificate_opens(secured_kafka: SecuredKafka) -> None:
    """Mutual TLS, with an encrypted key."""
    log_in(Connection(secured_kafka.mutual, "test", {}, mutual(secured_kafka)))


def test_a_token_opens(secured_kafka: SecuredKafka) -> None:
    """Over TLS as well."""
    auth = Bearer(lambda _: unsecured_token(60), Tls(ca=secured_kafka.ca))
    log_in(Connection(secured_kafka.token, "test", {}, auth))


def test_a_wrong_password_is_told(secured_kafka: SecuredKafka) -> None:
    """With the key that holds it."""
    error = refused(secured_kafka.scram, scram(secured_kafka, password="hunter2"))
    assert isinstance(error, RefusedError)
    assert "invalid credentials" in error.cause
    assert "auth.scram" in error.hint


def test_a_certificate_of_a_stranger_is_told(secured_kafka: SecuredKafka) -> None:
    """The broker's is not from an authority that is trusted: with the key that names these."""
    error = refused(secured_kafka.scram, scram(secured_kafka, tls=Tls(ca=secured_kafka.wrong_ca)))
    assert isinstance(error, RefusedError)
    assert "the broker's certificate is not trusted: " in error.cause
    assert "self-signed certificate in certificate chain" in error.cause
    assert "auth.tls.ca" in error.hint


def test_without_an_authority_those_of_the_system_are_asked(secured_kafka: SecuredKafka) -> None:
    """Nothing is trusted that nobody said to trust."""
    error = refused(secured_kafka.scram, scram(secured_kafka, tls=Tls()))
    assert "the broker's certificate is not trusted: " in error.cause


def test_a_certificate_for_another_host_is_told(secured_kafka: SecuredKafka) -> None:
    """It is signed by whom we trust, and for a name that we do not call."""
    address = secured_kafka.scram.replace("127.0.0.1", "localhost")
    error = refused(address, scram(secured_kafka))
    assert "Hostname mismatch" in error.cause
    assert "localhost" in error.cause
    assert "name the brokers as the certificate does" in error.hint


def test_checks_can_be_skipped_by_the_key_that_says_so(secured_kafka: SecuredKafka) -> None:
    """Neither the authority nor the name matters then."""
    address = secured_kafka.scram.replace("127.0.0.1", "localhost")
    unsafe = Tls(ca=secured_kafka.wrong_ca, checks_certificates=False)
    log_in(Connection(address, "test", {}, scram(secured_kafka, tls=unsafe)))


def test_a_missing_certificate_of_ours_is_told(secured_kafka: SecuredKafka) -> None:
    """With the keys that would name it."""
    error = refused(secured_kafka.mutual, Tls(ca=secured_kafka.ca))
    assert isinstance(error, RefusedError)
    assert "wants a certificate of ours" in error.cause
    assert "auth.tls.certificate" in error.hint


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"ca": "/nowhere/ca.pem"}, "auth.tls.ca"),
        ({"certificate": "/nowhere/mirror.pem"}, "auth.tls.certificate"),
        ({"key": "/nowhere/mirror.key"}, "auth.tls.key"),
        ({"key_password": "hunter2"}, "auth.tls.key_password"),
    ],
    ids=["authority", "certificate", "key", "password of the key"],
)
def test_a_file_that_cannot_be_used_is_told(secured_kafka: SecuredKafka, change: dict[str, str], key: str) -> None:
    """It is a mistake of the configuration: with its key, and the path."""
    error = refused(secured_kafka.mutual, mutual(secured_kafka, **change))
    assert isinstance(error, SettingsError)
    assert re.search(rf"{re.escape(key)}\b", str(error))


def test_the_port_for_another_login_is_told(secured_kafka: SecuredKafka) -> None:
    """With what the broker takes there."""
    error = refused(secured_kafka.token, scram(secured_kafka))
    assert isinstance(error, RefusedError)
    assert "broker's supported mechanisms: OAUTHBEARER" in error.cause
    assert "port for auth scram" in error.hint


def test_an_expired_token_is_told(secured_kafka: SecuredKafka) -> None:
    """As the broker says it, with the keys of that login."""
    auth = Bearer(lambda _: (unsecured_token(-100)[0], time.time() + 100), Tls(ca=secured_kafka.ca))
    error = refused(secured_kafka.token, auth)
    assert isinstance(error, RefusedError)
    assert "invalid_token" in error.cause
    assert "auth.iam" in error.hint


def test_nobody_there_is_no_refusal() -> None:
    """It is unreachable, at the address that was called."""
    error = refused("127.0.0.1:9", Tls(), answer_s=1)
    assert isinstance(error, UnreachableError)
    assert "127.0.0.1:9" in str(error)


class Renewing:
    """Tokens of six seconds, and how many were asked for."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: str) -> Token:
        self.count += 1
        return unsecured_token(6)


def _produce(settings: dict[str, Any]) -> Callable[[], object]:
    producer = Producer(settings)
    return lambda: producer.list_topics(timeout=5)


def _consume(settings: dict[str, Any]) -> Callable[[], object]:
    consumer = Consumer({**settings, "group.id": "test"})
    return lambda: consumer.list_topics(timeout=5)


def _administer(settings: dict[str, Any]) -> Callable[[], object]:
    admin = AdminClient(settings)
    return lambda: admin.list_topics(timeout=5)


def test_every_client_renews_its_token_though_nobody_polls_it(secured_kafka: SecuredKafka) -> None:
    """The broker asks for a new one every two seconds, and would cut off whoever shows an expired one."""
    lives = {make: Renewing() for make in (_produce, _consume, _administer)}
    errors: list[str] = []

    def use(make: Callable[[dict[str, Any]], Callable[[], object]], token: Renewing) -> None:
        connection = Connection(secured_kafka.token, "test", {}, Bearer(token, Tls(ca=secured_kafka.ca)))
        ask = make({**cast("dict[str, Any]", connection.settings()), "log_level": 0})
        try:
            # The first token's life is over with the third.
            wait_until(lambda: bool(ask()) and token.count >= 3, "a third token", 30)
        except KafkaException as error:
            errors.append(str(error))

    threads = [threading.Thread(target=use, args=each) for each in lives.items()]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert all(token.count >= 3 for token in lives.values())
