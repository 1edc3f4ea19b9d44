"""A configuration that is written is read as the same."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import Configuration, load
from bridge.config.writing import document_of, without_secrets

ENDS: dict[str, Any] = {
    "name": "orders",
    "source": {"kinesis": {"stream": "orders"}},
    "sink": {"kafka": {"bootstrap_servers": ["b-1:9098"], "topic": "orders"}},
}


def loaded(folder: Path, text: str, environment: dict[str, str] | None = None) -> Configuration:
    file = folder / "mirror.yaml"
    file.write_text(text)
    return load([str(file)], environment=environment or {})


def test_the_example_is_written_as_it_is_read(tmp_path: Path) -> None:
    """It has every key there is: durations, sizes, times and addresses keep their meaning."""
    found = loaded(tmp_path, (files("bridge.config") / "example.yaml").read_text())
    assert loaded(tmp_path, yaml.safe_dump(document_of(found))) == found


@pytest.mark.parametrize(
    "more",
    [
        {"checkpoint_interval": "1.5s", "workers": {"session_timeout": "30m"}},
        {"checkpoint_interval": "1ms"},
        {
            "transforms": [
                {"python": "orders:priced", "timeout": "1.5s"},
                {"python": "a.b:c", "takes": "batch", "path": "/srv"},
            ]
        },
        {"http": {"listen": "[::1]:9000"}},
        {"http": None},
        {"source": {"kinesis": {"stream": "orders", "start": "2026-01-31T12:00:00.123+02:00"}}},
        {"checkpoints": {"sqlite": {"path": "/data/orders.db"}}, "limits": {"memory": "1GiB"}},
    ],
)
def test_values_keep_their_meaning(tmp_path: Path, more: dict[str, Any]) -> None:
    """Also those whose text is another than a person's."""
    found = loaded(tmp_path, yaml.safe_dump({**ENDS, **more}))
    assert loaded(tmp_path, yaml.safe_dump(document_of(found))) == found


def test_secrets_become_variables(tmp_path: Path) -> None:
    """What is written can be shown; with the variables in the environment it is the same."""
    sink = {"kafka": {**ENDS["sink"]["kafka"], "librdkafka": {"sasl.password": "hunter2", "ssl.key.password": "1234"}}}
    found = loaded(tmp_path, yaml.safe_dump({**ENDS, "sink": sink}))
    root = document_of(found)
    secrets = without_secrets(root)
    text = yaml.safe_dump(root)
    assert secrets == {"KMBRIDGE_SINK_SASL_PASSWORD": "hunter2", "KMBRIDGE_SINK_SSL_KEY_PASSWORD": "1234"}
    assert "hunter2" not in text
    assert loaded(tmp_path, text, secrets) == found
