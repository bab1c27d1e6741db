# Held by tests/analyzer/test_settings.py: each field, its help, and what it refuses.
"""What the user asked for, and the limits that hold: printed whole in every manifest.

Each field bears the help text of its option, and how the option is called, so that the command
line, the manifest and the documentation of the library are one list.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from os import PathLike, fspath
from pathlib import Path
from typing import Any, ClassVar, Final

from phonehome.captures import Limits, path_text
from phonehome.errors import PhonehomeError

ENGLISH: Final = "en"
_LOCALES: Final = Path(__file__).parents[1] / "reports" / "locales"
LANGUAGES: Final = (
    ENGLISH,
    *sorted({path.name for path in _LOCALES.glob("*/")} - {ENGLISH}),
)
"""Languages that reports can be written in: English, and each that has a folder of its own."""

IDLE_STATES: Final = {
    "screen-off": ("idle",),
    "background": ("background",),
    "both": ("idle", "background"),
}
"""States of the phone that count as idle in the answer, by what idle was said to mean."""

MOST_OFFSET: Final = 366 * 86_400
"""Seconds by which a timeline may be moved."""
MOST_DIGITS: Final = 15
_READINGS: Final = 2


class SettingsError(PhonehomeError):
    """A setting has a value that it cannot have; the message names field, expected and found."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Something that a user says was sent.

    Attributes:
        label: of the phases in which it was sent; None: in all.
        name: what it is called.
        size: its bytes, at least one.
    """

    label: str | None
    name: str
    size: int

    @classmethod
    def of_file(cls, text: str) -> "Sent":
        """A file that was sent: `[LABEL=]FILE`.

        Raises:
            SettingsError: the file cannot be read, or is empty.
        """
        label, equals, rest = text.partition("=")
        path = Path(rest if equals else text)
        try:
            size = path.stat().st_size
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
        if not path.is_file() or not size:
            raise SettingsError(f"{path}: a file that is not empty expected")
        return cls(label=label if equals else None, name=path_text(path.name), size=size)

    @classmethod
    def of_bytes(cls, text: str) -> "Sent":
        """A number of bytes that were sent: `[LABEL=]NUMBER`.

        Raises:
            SettingsError: that is no number of bytes.
        """
        label, equals, rest = text.rpartition("=")
        digits = rest.strip().replace(",", "")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
        if not is_number or not int(digits):
            raise SettingsError(f"a number of bytes expected, {rest!r} found")
        return cls(label=label if equals else None, name=f"{rest.strip()} bytes", size=int(digits))


def _asked(
    default: Any,  # noqa: ANN401 - of each field its own
    help_text: str,
    *,
    option: str | None = None,
    metavar: str | None = None,
) -> Any:  # noqa: ANN401 - the same
    """A field with its help; `option` where its option is not called as the field is."""
    return field(
        default=default, metadata={"help": help_text, "option": option, "metavar": metavar}
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one run was asked for.

    Where several files or addresses can be given, one alone need not stand in a list, and a path
    may be text.

    Attributes:
        phones: addresses of the phone; empty: find out.
        app: app under test; None: all traffic of the phone.
        is_app_alone: the user says that no other app sent anything; weighs in claims alone.
        timelines: files that say when the phone was active or idle.
        idle_means: which states count as idle: a key of `IDLE_STATES`.
        packages: files that name the package of each user id; see `apps.read_packages`.
        keylogs: files with keys of TLS, QUIC or MMTLS, to open what was encrypted.
        connections: lists of connections beside the captures; see `connections`.
        clock_offset: seconds to add to times of timelines; None: what the captures themselves say.
        infer_phases: where there is no timeline, take busy stretches for active, quiet ones for
            idle.
        sent: what the user says was sent, to see how many times over it left the phone.
        counters: readings of the phone's own counters before and after: two files, or none.
        timezone: IANA zone for logs without one; None: such logs are refused.
        organisations: tables of who runs which domain, on top of the shipped one.
        publisher: organisation that publishes the app; None: by the name of its package.
        phone_location: where the phone was, as `geo.locate` understands it; None: not told.
        databases: geo databases; empty: the embedded ones.
        claims: files of claims to test, or names of shipped ones; see `claims_file`.
        version: label under which the captures are compared.
        identifiers: lists of what is known of phone and account, to be searched for.
        language: what reports are written in, one of `LANGUAGES`; changes no number and no table.
        is_revealed: values that were found are written, and not only their digests.
        limits: bounds on what a capture may cost; see `captures.limits`.

    Raises:
        SettingsError: a value is none that the field can have.
    """

    phones: tuple[str, ...] = _asked(
        (),
        "IP address of the phone (repeatable); detected if omitted.",
        option="--phone",
        metavar="ADDRESS",
    )
    app: str | None = _asked(None, "App under test.")
    is_app_alone: bool = _asked(
        False,  # noqa: FBT003 - a default
        "Assert that no other app sent traffic (claims about one app need this).",
        option="--app-alone",
    )
    timelines: tuple[Path, ...] = _asked(
        (),
        "When the phone was active or idle: CSV, JSON, or a log of the phone.",
        option="--timeline",
    )
    idle_means: str = _asked("screen-off", "Which states count as idle in the answer.")
    packages: tuple[Path, ...] = _asked((), "Packages by user id: output of `pm list packages -U`.")
    keylogs: tuple[Path, ...] = _asked(
        (),
        "Keys of TLS and QUIC (SSLKEYLOGFILE), or of MMTLS: what they open is examined.",
        option="--keylog",
    )
    connections: tuple[Path, ...] = _asked(
        (), "PCAPdroid's list of connections (CSV): names the app of each flow."
    )
    clock_offset: float | None = _asked(
        0.0,
        "Seconds to add to the times of timelines; auto: as the capture itself shows.",
        metavar="SECONDS|auto",
    )
    infer_phases: bool = _asked(
        False,  # noqa: FBT003 - a default
        "Without a timeline, take quiet stretches for idle: a guess, marked as one.",
    )
    sent: tuple[Sent, ...] = _asked(
        (),
        "A file that you sent (in phases of that label): how many times over it left.",
        metavar="[LABEL=]FILE",
    )
    counters: tuple[Path, ...] = _asked(
        (),
        "`dumpsys netstats --full --uid` before and after: how much of it was captured.",
        metavar="BEFORE AFTER",
    )
    timezone: str | None = _asked(None, "Time zone for timelines without one, e.g. Europe/Berlin.")
    organisations: tuple[Path, ...] = _asked(
        (), "Extra CSV of domain owners; overrides the built-in table."
    )
    publisher: str | None = _asked(
        None, "Organisation that publishes the app; default: by the name of its package."
    )
    phone_location: str | None = _asked(
        None,
        "Where the phone was: CA, 'Toronto, CA' or 43.65,-79.38. Excludes impossible countries.",
        metavar="PLACE",
    )
    databases: tuple[Path, ...] = _asked(
        (), "Geo database (MMDB) to use instead of the shipped ones.", option="--geo"
    )
    claims: tuple[Path, ...] = _asked((), "Test these claims too: see `phonehome check`.")
    version: str | None = _asked(
        None, "Version under which these captures are compared.", option="--version-label"
    )
    identifiers: tuple[Path, ...] = _asked(
        (), "Known values of phone and account (TOML): are they in the traffic, however encoded?"
    )
    language: str = _asked(
        ENGLISH, "Language of the report; tables, JSON and this terminal stay English."
    )
    is_revealed: bool = _asked(
        False,  # noqa: FBT003 - a default
        "Write the values of identifiers that were found.",
        option="--reveal",
    )
    limits: Limits = field(default_factory=Limits)

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "idle_means": tuple(IDLE_STATES),
        "language": LANGUAGES,
    }
    """Of fields that are words of a closed list, the list."""

    def __post_init__(self) -> None:
        """Take one for a list of one, text for a path; refuse what a field cannot be."""
        for each in fields(self):
            given = getattr(self, each.name)
            if each.type in _TAKEN:
                taken = _TAKEN[each.type](each.name, given)
                object.__setattr__(self, each.name, taken)
        object.__setattr__(self, "phones", tuple(map(_address, _several("phones", self.phones))))
        object.__setattr__(self, "clock_offset", _offset(self.clock_offset))
        for name, words in self.CHOICES.items():
            if getattr(self, name) not in words:
                raise _wrong(name, f"one of {', '.join(words)}", getattr(self, name))
        if len(self.counters) not in {0, _READINGS}:
            raise _wrong("counters", "two files, before and after", self.counters)
        if not isinstance(self.limits, Limits):
            raise _wrong("limits", "Limits", self.limits)

    def called(self, version: str) -> "Settings":
        """The same, for captures of this version."""
        return replace(self, version=version)


def _wrong(name: str, expected: str, found: object) -> SettingsError:
    return SettingsError(f"{name}: {expected} expected, {found!r} found")


def _several(name: str, given: object) -> tuple[Any, ...]:
    """One thing, or many, as many."""
    if given is None:
        return ()
    if isinstance(given, str | PathLike | Sent):
        return (given,)
    if isinstance(given, Iterable) and not isinstance(given, bytes):
        return tuple(given)
    raise _wrong(name, "one or a list", given)


def _path(name: str, given: object) -> Path:
    if not isinstance(given, str | PathLike) or isinstance(fspath(given), bytes):
        raise _wrong(name, "a path", given)
    return Path(given)


def _text(name: str, given: object) -> str:
    if not isinstance(given, str):
        raise _wrong(name, "text", given)
    try:
        given.encode()
    except UnicodeEncodeError:
        raise _wrong(name, "text in UTF-8", given) from None
    return given


def _flag(name: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise _wrong(name, "True or False", given)
    return given


def _sent(name: str, given: object) -> Sent:
    if not isinstance(given, Sent):
        raise _wrong(name, "Sent", given)
    return given


def _address(given: object) -> str:
    try:
        return str(ip_address(given))  # type: ignore[arg-type] # what is none is refused
    except ValueError as error:
        raise SettingsError(f"phones: an IP address expected: {error}") from error


def _offset(given: object) -> float | None:
    """Seconds; None for `auto`."""
    if given is None or (isinstance(given, str) and given.strip().lower() == "auto"):
        return None
    try:
        seconds = float(given) if isinstance(given, int | float | str) else MOST_OFFSET + 1.0
    except ValueError:
        seconds = MOST_OFFSET + 1.0
    if not abs(seconds) <= MOST_OFFSET:
        raise SettingsError(
            f"clock_offset: auto, or seconds within a year expected, {given!r} found"
        )
    return seconds


_TAKEN: Final[dict[Any, Any]] = {
    tuple[Path, ...]: lambda name, given: tuple(_path(name, one) for one in _several(name, given)),
    tuple[Sent, ...]: lambda name, given: tuple(_sent(name, one) for one in _several(name, given)),
    str: _text,
    str | None: lambda name, given: None if given is None else _text(name, given),
    bool: _flag,
}
"""How the value of a field is taken, by its type."""
