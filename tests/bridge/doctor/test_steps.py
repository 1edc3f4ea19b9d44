"""Whether the steps between the ends can be opened."""

from bridge.doctor.checks.steps import Steps
from bridge.doctor.examination import examined
from bridge.findings import Severity
from tests.bridge.doctor.scenes import found, scene, severities


async def test_a_step_that_cannot_be_opened_fails() -> None:
    """With where its module was looked for, before the mirror is started."""
    one = await found(Steps(), scene(asked={"transforms": [{"python": "no_such_module_anywhere:f"}]}))
    assert (one.severity, one.found) == (Severity.FAILED, "load no_such_module_anywhere:f")
    assert "then in Python's own places" in one.remedy


async def test_steps_are_opened_and_given_no_record() -> None:
    """A function that fails with each record is found all the same; without steps there is nothing to say."""
    asked = {"transforms": [{"python": "json:loads"}, {"python": "base64:b64decode"}]}
    (one,) = await examined(scene(asked=asked), [Steps()])
    assert (one.severity, one.found) == (Severity.OK, "ready: python json:loads, python base64:b64decode")
    assert await severities(Steps(), scene()) == {}
