"""What a mirror needs and what it costs, before there is one."""

from bridge.planning.draft import planned
from bridge.planning.load import Aims, Load
from bridge.planning.measuring.figures import Figures
from bridge.planning.measuring.source import measured
from bridge.planning.plan import Plan

__all__ = ["Aims", "Figures", "Load", "Plan", "measured", "planned"]
