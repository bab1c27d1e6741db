"""What every page of ours is made with: templates, the encoder of all text, scripts, the policy.

The charts' library travels inside a page, compressed, and is unpacked by the page's own script. A
content security policy names the hash of each script that may run; nothing else may load.
"""

import base64
import hashlib
import json
import re
import zlib
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.utils import url_quote
from markupsafe import Markup

from phonehome.analyzer import display_filter
from phonehome.geo import world_topology
from phonehome.reports.charts.style import country_text, iso
from phonehome.reports.page import evidence
from phonehome.reports.words import translate, wording
from phonehome.reports.words.escape import shortened, visible
from phonehome.reports.words.translate import told
from phonehome.reports.words.vocabulary import label_text

_HERE: Final = Path(__file__).parents[1]
_LONGEST_NAME: Final = 90
_UNIT: Final = re.compile(r"(?<=\d) (?=%|bytes?\b|[kMGTP]B\b)")
_MILLISECOND: Final = timedelta(milliseconds=1)
_LEVEL: Final = 4  # 2.0 MB in 0.09 s; level 9 saves 80 kB and costs twice that time


def island(content: dict[str, Any]) -> Markup:
    """Figures and map as JSON that cannot end the script element it stands in."""
    text = json.dumps(content, separators=(",", ":"))[:-1] + f',"topology":{world_topology()}}}'
    return Markup(_in_script(text))  # noqa: S704  # just escaped for the one place it goes to


def script_words() -> Markup:
    """What the scripts of a page say, in the language spoken, as JSON for its element."""
    conventions = translate.conventions(translate.spoken())
    words = {
        "locale": conventions["locale"],
        "point": conventions["decimal"],
        "charts": conventions["charts"],
        "app": translate.say("app"),
        "organisation": translate.say("organisation"),
        "country": translate.say("country"),
        "phase": translate.say("phase"),
        "time": translate.say("time span"),
        "span": translate.say("{begin} to {end} UTC"),
        "nothingSelected": translate.say("Nothing of the selection was uploaded."),
        "nothingThen": translate.say("Nothing was uploaded in that span of time"),
        "partSelected": translate.say("{number} bytes of it in the selection"),
        "selected": translate.say("{size} ({number} bytes) of {all} uploaded"),
        "selectedFew": translate.say("{size} of {all} uploaded"),
        "byte": translate.say("{number} byte"),
        "bytes": translate.say("{number} bytes"),
        "row": translate.say("{number} row"),
        "rows": translate.say("{number} rows"),
        "someRows": translate.say("{shown} of {number} rows"),
        "copied": translate.say("Copied {text}"),
        "copiedShort": translate.say("copied"),
        "useKeyboard": translate.say("Selected: copy it with the keyboard"),
        "selectedShort": translate.say("selected"),
    }
    return Markup(_in_script(json.dumps(words, separators=(",", ":"))))  # noqa: S704  # escaped


def _in_script(text: str) -> str:
    """JSON with nothing in it that could end the script element it stands in."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def plotly() -> str:
    """The source of plotly.js, as the installed package ships it."""
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    return script.read_text(encoding="utf-8")


@cache
def packed_plotly() -> str:
    """The same, compressed, as text that a page may hold."""
    return base64.b64encode(zlib.compress(plotly().encode(), _LEVEL)).decode()


def asset(name: str) -> str:
    """A file of ours that pages carry in themselves."""
    return (_HERE / "assets" / name).read_text(encoding="utf-8")


def style(*names: str) -> Markup:
    """The style sheet of a page: colours and sizes, what all pages share, then its own files."""
    sheets = [asset(name) for name in ("tokens.css", "base.css", *names)]
    return Markup("".join(sheets))  # noqa: S704  # files of ours


def script(*names: str) -> str:
    """The script of a page: these files, in this order, in one scope."""
    return "".join(asset(name) for name in names)


def policy(*scripts: str) -> str:
    """The content security policy of a page that runs these scripts and loads nothing."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    # plotly writes its style rules while it draws: hashes would break it, and only it.
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> jinja2.Environment:
    """What fills the templates of pages: their filters, and the encoder of all text."""
    environment = jinja2.Environment(
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_seen,
    )
    environment.filters |= {
        "n": lambda number: translate.say("none") if number is None else translate.number(number),
        "figures": translate.figures,
        "told": told,
        "capitalized": wording.capitalized,
        "size": lambda count: tight(wording.bytes_text(count)),
        "tight": tight,
        "time": wording.time_text,
        "seconds": wording.seconds_text,
        "span": lambda span: wording.seconds_text(span.total_seconds()),
        "country": country_text,
        "short": short,
        "rate": lambda rate: tight(wording.rate_text(rate)),
    }
    vars(environment)["newstyle_gettext"] = True  # parts go to `_message`, and so to the encoder
    environment.globals |= {
        "gettext": _message,
        "ngettext": _messages,
        "_": translate.say,
        "spoken": translate.spoken,
        "label_text": label_text,
        "script_words": script_words,
        "share": lambda part, whole: tight(wording.share_text(part, whole)),
        "counted": wording.counted,
        "display_filter": display_filter,
        "other_opinions": evidence.other_opinions,
        "fragment": fragment,
        "span_fragment": span_fragment,
        "GRADE_WORDS": wording.GRADE_WORDS,
        "KINDS": wording.KINDS,
    }
    return environment


def fragment(dimension: str, value: str | None) -> str:
    """The link that selects one value of a dimension on the page; an empty one is null."""
    return f"#{dimension}={url_quote(value or '', for_qs=True)}"


def span_fragment(first: datetime, last: datetime) -> str:
    """The link that selects what was sent from the first to the last of two moments, in UTC."""
    # A browser's clock has milliseconds, and an end belongs to no span that begins with it.
    end = last.replace(microsecond=last.microsecond // 1_000 * 1_000) + _MILLISECOND
    return f"#from={iso(first)}Z&to={iso(end)}Z"


def short(text: str) -> str:
    """The text with its middle left out where it is longer than a table can hold."""
    return shortened(text, _LONGEST_NAME)


def tight(text: str) -> str:
    """The text with no line break between a number and its unit."""
    return _UNIT.sub("\u00a0", text)


def _message(message: str, /, **parts: object) -> Markup:
    """A message of a template in the language spoken; its parts are encoded as all text is."""
    return _filled(translate.say(message), parts)


def _messages(one: str, many: str, count: int, /, **parts: object) -> Markup:
    """The form of a message of a template that fits the count."""
    return _filled(translate.say_many(one, many, count), parts)


def _filled(message: str, parts: dict[str, object]) -> Markup:
    text = Markup(message)  # noqa: S704  # of a template of ours, or a catalogue of ours
    return text % {name: _seen(part) for name, part in parts.items()}


def _seen(value: object) -> object:
    """What is about to be escaped and written, with nothing in it that hides or moves text."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
