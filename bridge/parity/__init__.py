"""Proof that two sides hold the same records in the same order, or a list of what differs."""

from bridge.parity.report import ParityReport
from bridge.parity.verification import Range, verify

__all__ = ["ParityReport", "Range", "verify"]
