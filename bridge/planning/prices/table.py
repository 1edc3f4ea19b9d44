"""The table of prices: a document of JSON, by regions."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError, json

from bridge.errors import UsageError
from bridge.planning.prices.rates import Rates

DEFAULT_REGION = "us-east-1"


class PriceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """List prices of one day: before taxes, free tiers and agreements."""

    as_of: str
    """The day, as ``2026-11-26``."""
    regions: Mapping[str, Rates]

    def rates(self, region: str) -> Rates:
        """Raises ``UsageError`` for a region that it does not have."""
        if region not in self.regions:
            known = ", ".join(sorted(self.regions))
            raise UsageError(
                f"find the prices of {region}",
                f"the table has those of {known}",
                f"--prices aws asks AWS for them; or --region {DEFAULT_REGION} reckons with others",
            )
        return self.regions[region]

    def text(self) -> str:
        """As a file, for ``read``."""
        return f"{json.format(json.encode(self), indent=2).decode()}\n"


def packaged() -> PriceTable:
    """The one that comes with the package. Reads a file of the installation: blocks."""
    return json.decode(files(__package__).joinpath("prices.json").read_bytes(), type=PriceTable)


def read(path: Path) -> PriceTable:
    """The one in a file. Blocks. Raises ``UsageError``, with the key at fault."""
    operation, hint = f"read the prices in {path}", "--save-prices writes a table to begin with"
    try:
        return json.decode(path.read_bytes(), type=PriceTable)
    except OSError as error:
        raise UsageError(operation, error.strerror or str(error), hint) from error
    except (ValidationError, DecodeError) as error:
        raise UsageError(operation, str(error), hint) from error
