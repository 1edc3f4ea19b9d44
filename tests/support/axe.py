"""axe, which finds out from within a page whether it is fit for everyone."""

from typing import Any

from tests.support.browser import Tab
from tests.support.missing import give_up
from tests.support.provision import MissingServerError, axe_script


async def broken_rules(tab: Tab) -> Any:
    """Each rule that the page breaks, with the elements that do: contrast, names, roles, landmarks."""
    try:
        script = axe_script().read_text(encoding="utf-8")
    except MissingServerError as error:
        give_up(error)
    await tab.evaluate(script)
    return await tab.evaluate(
        "axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes.map((node) => node.html)]))"
    )
