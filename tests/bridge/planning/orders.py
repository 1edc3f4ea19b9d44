"""A mirror to plan for, and what is known of its load."""

from typing import Any

from bridge.config import Configuration
from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.planning import Aims, Figures, Plan, planned
from bridge.planning.load import Load
from bridge.planning.prices.table import packaged

RATES = packaged().rates("us-east-1")
LOAD = Load(5_000, 1_000, peak_factor=3)
FIGURES = Figures(5_000, 1_000, 3, 1)

STREAM: dict[str, Any] = {"kinesis": {"stream": "orders", "region": "us-east-1"}}
TOPIC: dict[str, Any] = {"kafka": {"bootstrap_servers": ["b-1:9092"], "topic": "orders"}}


def mirror(source: Any = None, sink: Any = None, **more: Any) -> Configuration:
    """From a stream to a topic, by default."""
    return validate(Document({"name": "orders", "source": source or STREAM, "sink": sink or TOPIC, **more}))


def plan(figures: Figures = FIGURES, aims: Aims | None = None, **more: Any) -> Plan:
    return planned(mirror(**more), figures, packaged(), aims or Aims(), "us-east-1")
