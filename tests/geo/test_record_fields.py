import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.geo.countries import country_codes
from phonehome.geo.record_fields import NO_ANSWER, Answer, answer

MAKERS = {
    "MaxMind country": (
        {
            "continent": {"code": "AS"},
            "country": {"iso_code": "SG", "geoname_id": 1, "names": {"en": "Singapore"}},
            "registered_country": {"iso_code": "CN"},
            "traits": {"is_anycast": True},
        },
        Answer("SG", "CN", is_anycast=True),
    ),
    "MaxMind ASN": (
        {"autonomous_system_number": 132203, "autonomous_system_organization": "Tencent"},
        Answer(asn=132203, as_org="Tencent"),
    ),
    "MaxMind Enterprise": (
        {
            "country": {"iso_code": "US"},
            "traits": {"autonomous_system_number": 7, "autonomous_system_organization": "Seven"},
        },
        Answer("US", None, 7, "Seven", None),
    ),
    "MaxMind registered only": (
        {"registered_country": {"iso_code": "AU"}},
        Answer(registered_country="AU"),
    ),
    "DB-IP": (
        {"country": {"iso_code": "DE", "is_in_european_union": True}, "city": {"names": {}}},
        Answer("DE"),
    ),
    "ip-location-db": ({"country_code": "HK"}, Answer("HK")),
    "IPinfo Lite": (
        {
            "asn": "AS13335",
            "as_name": "Cloudflare, Inc.",
            "as_domain": "cloudflare.com",
            "country": "Australia",
            "country_code": "AU",
            "continent_code": "OC",
        },
        Answer("AU", None, 13335, "Cloudflare, Inc.", None),
    ),
    "IPinfo country_asn": (
        {"country": "CA", "country_name": "Canada", "asn": "AS5", "as_name": "Five"},
        Answer("CA", None, 5, "Five", None),
    ),
    "IPinfo asn": (
        {"asn": "AS174", "name": "Cogent", "domain": "x"},
        Answer(None, None, 174, "Cogent"),
    ),
    "IPinfo flags": ({"country": "FR", "is_anycast": False}, Answer("FR", is_anycast=False)),
}


@pytest.mark.parametrize(("record", "expected"), MAKERS.values(), ids=MAKERS)
def test_the_record_of_each_maker_gives_the_same_five_fields(record, expected):
    assert answer(record) == expected


@pytest.mark.parametrize(
    "code", ["EU", "AP", "ZZ", "A1", "??", "", "USA", "Australia", None, 7, b"US"]
)
def test_what_is_no_country_says_nothing(code):
    assert answer({"country_code": code}) == NO_ANSWER
    assert answer({"country": {"iso_code": code}}) == NO_ANSWER


def test_a_code_in_small_letters_is_read():
    assert answer({"country_code": "sg"}).country == "SG"


@pytest.mark.parametrize(
    "asn",
    [0, -1, 2**32, True, 1.5, "AS0", "AS", "AS4294967296", "ASx", "AS²", "1" * 5000, None, []],
)
def test_what_is_no_asn_says_nothing_and_takes_its_holder_along(asn):
    assert answer({"asn": asn, "as_name": "Nobody"}) == NO_ANSWER


@pytest.mark.parametrize("asn", [2**32 - 1, "AS4294967295", "4294967295", " as4294967295 "])
def test_the_largest_asn_is_read_in_every_form(asn):
    assert answer({"asn": asn}).asn == 2**32 - 1


def test_an_asn_without_holder_has_a_null_holder():
    assert (
        answer({"autonomous_system_number": 1, "autonomous_system_organization": ""}).as_org is None
    )


@pytest.mark.parametrize("record", [None, [], "US", 5, True, {}, {"traits": []}, {"country": []}])
def test_a_record_of_another_shape_says_nothing(record):
    assert answer(record) == NO_ANSWER


FIELDS = st.sampled_from(
    [
        "country",
        "country_code",
        "iso_code",
        "registered_country",
        "traits",
        "asn",
        "as_name",
        "autonomous_system_number",
        "autonomous_system_organization",
        "is_anycast",
        "x",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(FIELDS, VALUES, max_size=6))
def test_any_record_gives_fields_of_the_promised_types(record):
    said = answer(record)
    assert said.country is None or said.country in country_codes()
    assert said.registered_country is None or said.registered_country in country_codes()
    assert said.asn is None or 1 <= said.asn <= 2**32 - 1
    assert said.as_org is None or (isinstance(said.as_org, str) and said.asn is not None)
    assert said.is_anycast in (None, True, False)
