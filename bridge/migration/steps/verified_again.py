from bridge.migration.gates.scene import Way
from bridge.migration.measures.ends import Ends
from bridge.migration.steps.step import Course
from bridge.migration.steps.verified import Verified, new_side_began


class VerifiedAgain(Verified):
    """Also what producers have written to the new side since, on the way back."""

    name = "verify-again"
    title = "both sides still hold the same, both ways"
    ways = (Way.FORWARD, Way.REVERSE)

    async def _begun(self, course: Course) -> dict[str, object]:
        return {}

    def _since(self, way: Way, course: Course) -> Ends | None:
        """What stood on the new side before the mirror back begins is not its concern."""
        return new_side_began(course) if way is Way.REVERSE else None
