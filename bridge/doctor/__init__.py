"""What a careful operator looks at before a mirror is started, and when it behaves oddly."""

from bridge.doctor.examination import doctor
from bridge.doctor.report import DoctorReport
from bridge.findings import Finding, Severity

__all__ = ["DoctorReport", "Finding", "Severity", "doctor"]
