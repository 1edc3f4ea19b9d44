"""What a mirror needs and what it costs, before there is one."""

from bridge.planning.load import Aims, Load
from bridge.planning.making import make_plan
from bridge.planning.measuring.figures import Figures
from bridge.planning.measuring.measured import measured
from bridge.planning.plan import Plan

__all__ = ["Aims", "Figures", "Load", "Plan", "make_plan", "measured"]
