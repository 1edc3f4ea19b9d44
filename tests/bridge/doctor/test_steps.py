"""What doctor finds of the steps between the ends."""

from pathlib import Path
from uuid import uuid4

from bridge.doctor.checks.steps import Steps
from bridge.doctor.examination import examined
from bridge.findings import Severity
from tests.bridge.doctor.scenes import scene
from tests.support.fake_lambda import fake_lambda


async def test_each_step_is_begun_and_given_nothing(tmp_path: Path) -> None:
    """One that cannot be begun is named, and the others are looked at all the same."""
    module = f"steps_{uuid4().hex}"
    (tmp_path / f"{module}.py").write_text("def keep(record):\n    raise AssertionError('given a record')\n")
    with fake_lambda() as aws:
        aws.handlers["cleaner"] = lambda event, context: None
        at = {"region": "eu-west-1", "endpoint_url": aws.url}
        asked = [
            {"python": f"{module}:keep", "path": str(tmp_path)},
            {"python": f"{module}:gone", "path": str(tmp_path)},
            {"filter": "value.n > 1"},
            {"lambda": {"function": "cleaner", **at}},
            {"lambda": {"function": "gone", **at}},
        ]
        found = await examined(scene(asked={"transforms": asked}), [Steps()])

    assert [each.severity for each in found] == [
        Severity.OK,
        Severity.FAILED,
        Severity.OK,
        Severity.OK,
        Severity.FAILED,
    ]
    assert found[0].found == f"ready: python {module}:keep"
    assert (aws.calls, aws.dry_runs) == (0, ["cleaner"])
    assert "invoke function gone" in found[4].found
    assert found[4].remedy == "check transforms[].lambda.function, and the region"


async def test_a_mirror_without_steps_has_nothing_to_be_told() -> None:
    """Nothing is found where there is nothing to look at."""
    assert await examined(scene(), [Steps()]) == ()
