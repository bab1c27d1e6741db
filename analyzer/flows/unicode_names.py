"""Internationalised names: the form that people read, and what in it deceives.

The name in the packets (A-labels, RFC 5890) is what counts; this form stands beside it. Scripts
are told by the names that Unicode gives its characters; letters that look like others are the
most used of its list of confusables (UTS 39) whose other form is an ASCII letter or digit.
"""

import unicodedata

import polars as pl

from phonehome.analyzer.kinds.measured import LOOKS_LIKE, MIXES, NOT_DECODED, REMARKS

PREFIX = "xn--"
_LONGEST_LABEL = 63
_COMMON = frozenset({"DIGIT", "HYPHEN-MINUS", "LOW", "MIDDLE", "COMBINING", "FULL"})
_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})
_CYRILLIC = {
    0x0430: "a",
    0x0432: "b",
    0x0433: "r",
    0x0435: "e",
    0x043A: "k",
    0x043C: "m",
    0x043D: "h",
    0x043E: "o",
    0x043F: "n",
    0x0440: "p",
    0x0441: "c",
    0x0442: "t",
    0x0443: "y",
    0x0445: "x",
    0x044C: "b",
    0x0455: "s",
    0x0456: "i",
    0x0458: "j",
    0x04BB: "h",
    0x0501: "d",
    0x051B: "q",
    0x051D: "w",
}
_GREEK = {
    0x03B1: "a",
    0x03B3: "y",
    0x03B9: "i",
    0x03BA: "k",
    0x03BD: "v",
    0x03BF: "o",
    0x03C1: "p",
    0x03C4: "t",
    0x03C5: "u",
    0x03C7: "x",
    0x03C9: "w",
}
_ARMENIAN = {
    0x0566: "q",
    0x0570: "h",
    0x0578: "n",
    0x057D: "u",
    0x0581: "g",
    0x0585: "o",
}
_LATIN = {
    0x0131: "i",
    0x0251: "a",
    0x0261: "g",
}
_LOOKALIKES = _CYRILLIC | _GREEK | _ARMENIAN | _LATIN


def unicode_name(name: str) -> tuple[str | None, str | None]:
    """The form of a name that people read, and what is deceptive in it.

    Null where no label is encoded, or where one cannot be decoded; null where nothing deceives.
    """
    labels = name.split(".")
    if not any(label.startswith(PREFIX) for label in labels):
        return None, None
    try:
        decoded = [_decoded(label) for label in labels]
    except UnicodeError:
        return None, NOT_DECODED(prefix=PREFIX)
    warnings = [
        warning
        for label, plain in zip(decoded, labels, strict=True)
        if label != plain and (warning := _warning(label))
    ]
    found = list(dict.fromkeys(warnings))
    warning = REMARKS(remarks=found) if len(found) > 1 else found[0] if found else None
    return ".".join(decoded), warning


def _decoded(label: str) -> str:
    """An A-label as a U-label, any other as it stands."""
    if not label.startswith(PREFIX):
        return label
    if len(label) > _LONGEST_LABEL:
        raise UnicodeError
    found = label.removeprefix(PREFIX).encode("ascii").decode("punycode")
    if not found or not all(letter.isprintable() for letter in found):
        raise UnicodeError
    return found


def _warning(label: str) -> str | None:
    """What deceives in a decoded label."""
    scripts = {_script(letter) for letter in label} - _COMMON
    if len(scripts) > 1 and not scripts - {"LATIN"} <= _ASIAN:
        return MIXES(scripts=" and ".join(sorted(script.title() for script in scripts)))
    skeleton = unicodedata.normalize("NFKD", label).translate(_LOOKALIKES)
    skeleton = "".join(letter for letter in skeleton if not unicodedata.combining(letter))
    is_other_script = scripts != {"LATIN"} or skeleton == label
    if skeleton.isascii() and skeleton != label and is_other_script:
        return LOOKS_LIKE(name=skeleton)
    return None


def _script(letter: str) -> str:
    """The first word of the name of a character, which tells its script."""
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def with_unicode(flows: pl.DataFrame) -> pl.DataFrame:
    """The flows with `host_unicode` and `host_warning`."""
    hosts = flows["host"].drop_nulls()
    encoded = hosts.filter(hosts.str.contains(PREFIX, literal=True)).unique().sort()
    rows = [(host, *unicode_name(host)) for host in encoded]
    found = pl.DataFrame(
        rows,
        schema={"host": pl.String, "host_unicode": pl.String, "host_warning": pl.String},
        orient="row",
    )
    return flows.join(found, on="host", how="left", maintain_order="left")
