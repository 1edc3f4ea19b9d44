"""Metrics for CloudWatch: lines of its embedded metric format on standard output, where an agent takes logs from.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from bridge.telemetry.emf.emitter import EmfSettings, emitting

__all__ = ["EmfSettings", "emitting"]
