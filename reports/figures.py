"""What all charts share: their look, and colours that the page's script puts in.

A string that begins with `--` stands for that variable of the page's style; the page's script
puts the colour in when it draws, and again when the colour scheme changes. Every text that a
capture or a database wrote goes through `text.label`.
"""

from typing import Any, Final

from geo.countries import country_index
from reports import wording

Figure = dict[str, Any]

CLEAR: Final = "rgba(0,0,0,0)"
LOOK: Final[Figure] = {
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
    "font": {"family": "system-ui, sans-serif", "size": 13, "color": "--ink"},
    "hoverlabel": {
        "bgcolor": "--card",
        "bordercolor": "--line-strong",
        "font": {"color": "--ink"},
    },
    "dragmode": False,
}


def country_text(code: str | None) -> str:
    """The name of a country with its code; the code alone where it names none."""
    if code is None:
        return wording.NO_COUNTRY
    country = country_index().get(code)
    return code if country is None else f"{country.name} ({code})"
