"""The endpoints by which monitoring and people look into a running process."""

from bridge.telemetry.http.server import TelemetryServer, serving

__all__ = ["TelemetryServer", "serving"]
