"""Short forms of claims that are often made, written out as the queries that they stand for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

COUNTRY: Final = re.compile("[A-Z]{2}")
NETWORK: Final = re.compile("AS([0-9]{1,10})")
HOST: Final = re.compile(r"(?=.{4,253}$)[a-z0-9_-]+(\.[a-z0-9_-]+)+")
SIZE: Final = re.compile(
    r"([0-9][0-9_]*(?:\.[0-9]+)?) ?(bytes|B|kB|MB|GB)?(?:( per hour|/h))?", re.ASCII
)
UNITS: Final = {None: 1, "bytes": 1, "B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
UP: Final = "coalesce(sum(up_unique_bytes), 0) AS up_unique_bytes"
MOST: Final = 64
UNKNOWN_CONTENT: Final = (
    "flows of unknown protocols may be in plain text: too short to tell, or neither text nor "
    "evenly spread"
)


class ShorthandError(ValueError):
    """A short form with a value that it does not take."""


@dataclass(frozen=True)
class Written:
    """A short form written out.

    Attributes:
        test: what is tested, in words.
        query: SQL.
        expect: what its answer has to be.
        states: states of the phone that it is about; empty: all.
        unless: SQL that finds what keeps an absence from being shown, with the kind of doubt and
            what was found, in words.
        evidence: SQL for the flows concerned, where the query does not tell them.
    """

    test: str
    query: str
    expect: str
    states: tuple[str, ...] = ()
    unless: tuple[tuple[str, str, str], ...] = ()
    evidence: str | None = None


def written(name: str, value: Any, states: tuple[str, ...], idle: tuple[str, ...]) -> Written:  # noqa: ANN401 - as TOML has it
    """What a short form stands for.

    Args:
        name: of the short form.
        value: what the file gives it.
        states: states that the claim is restricted to; empty: none.
        idle: states that count as idle.

    Raises:
        ShorthandError: the value is none that this form takes.
    """
    if name == "no-upload-to":
        return _no_upload_to(_listed(value), states)
    if name == "only-countries":
        return _only("country", [_country(item) for item in _listed(value)], states)
    if name == "only-asns":
        return _only("asn", [_network(item) for item in _listed(value)], states)
    if name == "idle-upload-below":
        return _idle_below(value, idle)
    if value is not True:
        raise ShorthandError(f"true expected, got {_shown(value)[:40]!r}")
    return _no_plaintext(states)


def _shown(value: object) -> str:
    """A value as text, or what it is: a number may have more digits than can be written."""
    is_short = isinstance(value, str | float) or (
        isinstance(value, int) and value.bit_length() < 64  # noqa: PLR2004 - as TOML's have
    )
    return str(value) if is_short else "something else"


FORMS: Final = (
    "no-upload-to",
    "idle-upload-below",
    "only-countries",
    "only-asns",
    "no-plaintext",
)


def _listed(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if not 0 < len(items) <= MOST:
        raise ShorthandError(f"1 to {MOST} items expected, got {len(items):,}")
    return [_shown(item) for item in items]


def _country(item: str) -> str:
    if not COUNTRY.fullmatch(item):
        raise ShorthandError(f"a country like CN expected, got {item[:40]!r}")
    return f"'{item}'"


def _network(item: str) -> str:
    found = NETWORK.fullmatch(item) or NETWORK.fullmatch(f"AS{item}")
    if not found:
        raise ShorthandError(f"a network like AS4134 expected, got {item[:40]!r}")
    return str(int(found[1]))


def _no_upload_to(items: Sequence[str], states: tuple[str, ...]) -> Written:
    countries = [_country(item) for item in items if COUNTRY.fullmatch(item)]
    networks = [_network(item) for item in items if NETWORK.fullmatch(item)]
    hosts = [item for item in items if HOST.fullmatch(item)]
    if len(countries) + len(networks) + len(hosts) != len(items):
        raise ShorthandError(
            "countries like CN, networks like AS4134, hosts like example.com expected, got "
            f"{', '.join(items)[:80]!r}"
        )
    parts = [f"country IN ({', '.join(countries)})"] if countries else []
    parts += [f"asn IN ({', '.join(networks)})"] if networks else []
    parts += [f"(host = '{host}' OR ends_with(host, '.{host}'))" for host in hosts]
    where = f"({' OR '.join(parts)})"
    return Written(
        f"bytes uploaded{_when(states)} to {', '.join(items)}", _sum(where, states), "== 0", states
    )


def _only(column: str, values: Sequence[str], states: tuple[str, ...]) -> Written:
    what = "countries" if column == "country" else "networks"
    shown = ", ".join(value.strip("'") for value in values)
    return Written(
        f"bytes uploaded{_when(states)} to {what} other than {shown}",
        _sum(f"{column} NOT IN ({', '.join(values)})", states),
        "== 0",
        states,
    )


def _idle_below(value: object, idle: tuple[str, ...]) -> Written:
    found = SIZE.fullmatch(_shown(value))
    if found is None:
        raise ShorthandError(
            "a number of bytes like '50 kB' or '50 kB per hour' expected, got "
            f"{_shown(value)[:40]!r}"
        )
    most = float(found[1].replace("_", "")) * UNITS[found[2]]
    limit = repr(int(most)) if most.is_integer() else repr(most)
    if not found[3]:
        return Written(f"bytes uploaded{_when(idle)}", _sum("", idle), f"<= {limit}", idle)
    listed = _texts(idle)
    rate = (
        "SELECT coalesce(sum(up_unique_bytes), 0) * 3600e9 / nullif((SELECT "
        f"sum(CAST(exposure AS BIGINT)) AS nanoseconds FROM phases WHERE state IN ({listed})), 0) "
        f"AS bytes_per_hour FROM uploads WHERE state IN ({listed})"
    )
    interval = (
        "SELECT concat(CAST(round(low_per_hour) AS BIGINT), ' to ', "
        "CAST(round(high_per_hour) AS BIGINT)) AS bytes_per_hour FROM rates WHERE "
        f"dimension = 'all' AND state IN ({listed}) AND "
        f"low_per_hour <= {limit} AND high_per_hour >= {limit}"
    )
    return Written(
        f"bytes uploaded per hour{_when(idle)}",
        rate,
        f"<= {limit}",
        idle,
        ((interval, "too little time", "the 95 % interval of the rate holds the limit"),),
        f"SELECT remote_address, host, app FROM uploads WHERE state IN ({listed})",
    )


def _no_plaintext(states: tuple[str, ...]) -> Written:
    if states:
        raise ShorthandError("no-plaintext takes no states: a flow may last through several")
    unknown = (
        "SELECT flow FROM flows WHERE role = 'phone' AND service IS NULL AND up_unique_bytes > 0 "
        "AND (up_content IS NULL OR up_content NOT IN ('random', 'text'))"
    )
    return Written(
        "bytes uploaded in plain text (HTTP, or an unknown protocol that begins with text)",
        f"SELECT {UP} FROM flows WHERE role = 'phone' AND (service = 'http' OR "
        "(service IS NULL AND up_content = 'text'))",
        "== 0",
        unless=(
            (
                unknown,
                "content unknown",
                UNKNOWN_CONTENT,
            ),
        ),
    )


def _sum(where: str, states: tuple[str, ...]) -> str:
    condition = f"{where}{_of_states(states)}" if where else _of_states(states)[len(" AND ") :]
    return f"SELECT {UP} FROM uploads WHERE {condition}"


def _of_states(states: tuple[str, ...]) -> str:
    return f" AND state IN ({_texts(states)})" if states else ""


def _texts(states: tuple[str, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)


def _when(states: tuple[str, ...]) -> str:
    return f" in {' and '.join(states)} time" if states else ""
