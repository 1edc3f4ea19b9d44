"""Moving a running system from Kinesis to Kafka or back, its consumers' places kept."""

from bridge.migration.translation.report import TranslatedPartition, TranslateReport, TranslationGap
from bridge.migration.translation.request import Direction, TranslateRequest
from bridge.migration.translation.translating import translate

__all__ = ["Direction", "TranslateReport", "TranslateRequest", "TranslatedPartition", "TranslationGap", "translate"]
