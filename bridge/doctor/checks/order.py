"""Whether a stream keeps the records of a key together, and in their order."""

from bridge.doctor.check import EndCheck, Findings
from bridge.doctor.scene import Role, Scene
from bridge.migration.measures.suitability import ORDER, order


class Order(EndCheck):
    name = ORDER

    async def run(self, scene: Scene) -> Findings:
        end = scene.stream(self.role)
        if end is None:
            return ()
        found = order(end.address, keeps_order=not end.summary.automatic)
        if end.summary.automatic or not end.summary.on_demand:
            return (found,)
        more = (
            "" if self.role is Role.SOURCE else "; what is written can double within a quarter of an hour, not faster"
        )
        on_demand = self.warning(
            f"{end.address} is on-demand",
            f"AWS splits its shards by itself, and its record distribution can be switched to AUTO at any time{more}",
            "let nobody do so: the mirror notices, and stops",
        )
        return found, on_demand
