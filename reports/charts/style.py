"""What all charts share: their look, and colours that the page's script puts in.

A string that begins with `--` stands for that variable of the page's style; the page's script
puts the colour in when it draws, and again when the colour scheme changes. Every text that a
capture or a database wrote goes through `text.label`.
"""

from datetime import datetime
from typing import Any, Final

from phonehome.analyzer.settings import ENGLISH
from phonehome.geo import country_index
from phonehome.reports.words import wording
from phonehome.reports.words.translate import country_names, say, spoken

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


def iso(moment: datetime) -> str:
    """A moment in UTC as plotly reads it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


def country_text(code: str | None) -> str:
    """The name of a country with its code; the code alone where it names none."""
    if code is None:
        return say(wording.NO_COUNTRY)
    name = country_name(code)
    return code if name is None else f"{name} ({code})"


def country_name(code: str) -> str | None:
    """The name of a country in the language spoken; None: it has none."""
    country = country_index().get(code)
    if country is None or spoken() == ENGLISH:
        return None if country is None else country.name
    return country_names(spoken()).get(code, country.name)
