"""One record of a database, whoever made it, brought to the same five fields.

Fields read here, and who writes them:

- country: `country.iso_code` (MaxMind, DB-IP), `country_code` (IPinfo, ip-location-db), or a
  `country` of two letters (IPinfo, older editions)
- country of registration: `registered_country.iso_code` (MaxMind)
- autonomous system: `autonomous_system_number` (MaxMind, DB-IP, ip-location-db), in MaxMind's
  larger editions under `traits`; `asn` as "AS123" (IPinfo)
- its holder: `autonomous_system_organization` in the same places; `as_name`, `name`, `org` (IPinfo)
- anycast: `traits.is_anycast` (MaxMind, only where true), `is_anycast` (IPinfo)

A record is a stranger's bytes: a field of an unexpected type says nothing, and is never an error.
"""

from typing import NamedTuple

from phonehome.geo.countries import country_codes

LARGEST_ASN = 2**32 - 1
_HOLDER_FIELDS = (
    "autonomous_system_organization",
    "as_name",
    "as_organization",
    "organization",
    "name",
    "org",
)
_ASN_FIELDS = ("autonomous_system_number", "asn", "as_number")


class Answer(NamedTuple):
    """What one record says; null where it says nothing."""

    country: str | None = None
    registered_country: str | None = None
    asn: int | None = None
    as_org: str | None = None
    is_anycast: bool | None = None


NO_ANSWER = Answer()


def answer(record: object) -> Answer:
    """The five fields of a record; all null when it is no mapping or says none of them."""
    if not isinstance(record, dict):
        return NO_ANSWER
    traits = record.get("traits")
    if not isinstance(traits, dict):
        traits = {}
    asn = _asn(record) or _asn(traits)
    is_anycast = traits.get("is_anycast", record.get("is_anycast"))
    return Answer(
        country=_country(record.get("country_code")) or _country(record.get("country")),
        registered_country=_country(record.get("registered_country")),
        asn=asn,
        as_org=(_holder(record) or _holder(traits)) if asn else None,
        is_anycast=is_anycast if isinstance(is_anycast, bool) else None,
    )


def _country(field: object) -> str | None:
    """A code of the ISO 3166-1 list (or XK), from a text or from a mapping with `iso_code`.

    Null for anything else: a country's name, and codes of no country, as EU, AP, A1, T1, ZZ.
    """
    code = field.get("iso_code") if isinstance(field, dict) else field
    if not isinstance(code, str):
        return None
    code = code.upper()
    return code if code in country_codes() else None


def _asn(record: dict[object, object]) -> int | None:
    """The first field that holds a number of an autonomous system."""
    for name in _ASN_FIELDS:
        asn = _number(record.get(name))
        if asn is not None:
            return asn
    return None


def _number(field: object) -> int | None:
    """A number from 1 to 2**32 - 1, from an integer or from a text as "AS123" or "123"."""
    if isinstance(field, str):
        digits = field.strip().upper().removeprefix("AS")
        is_short = len(digits) <= len(str(LARGEST_ASN))
        field = int(digits) if is_short and digits.isascii() and digits.isdigit() else None
    if isinstance(field, bool) or not isinstance(field, int):
        return None
    return field if 1 <= field <= LARGEST_ASN else None


def _holder(record: dict[object, object]) -> str | None:
    """The first field that names the holder of an autonomous system."""
    for name in _HOLDER_FIELDS:
        holder = record.get(name)
        if isinstance(holder, str) and holder:
            return holder
    return None
