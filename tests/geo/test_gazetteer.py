import pytest

from phonehome.geo.countries import country_index
from phonehome.geo.errors import GeoError, LocationError
from phonehome.geo.gazetteer import Location, _cities, locate


def refusal(text):
    with pytest.raises(LocationError) as caught:
        locate(text)
    message = str(caught.value)
    assert isinstance(caught.value, GeoError)
    assert message.isprintable()
    assert message.startswith("phone location: '")
    return message


@pytest.mark.parametrize("text", ["CA", "ca", " CA ", "CAN", "Canada", "canada"])
def test_a_country_is_named_by_its_code_or_its_name(text):
    assert locate(text) == Location("Canada", "CA")


@pytest.mark.parametrize("text", ["Toronto", "toronto", "Toronto, CA", "Toronto,Canada"])
def test_a_city_is_named_with_or_without_its_country(text):
    place = locate(text)
    assert (place.label, place.country) == ("Toronto, CA", "CA")
    assert place.latitude == pytest.approx(43.7, abs=0.1)
    assert place.longitude == pytest.approx(-79.4, abs=0.1)


def test_accents_do_not_matter():
    assert locate("Montreal") == locate("Montréal")
    assert locate("Sao Paulo") == locate("São Paulo, BR")


@pytest.mark.parametrize("text", ["43.65,-79.38", " 43.65 , -79.38 ", "+43.65,-79.38"])
def test_a_point_is_latitude_and_longitude(text):
    assert locate(text) == Location("43.65,-79.38", None, 43.65, -79.38)


@pytest.mark.parametrize("text", ["90,180", "-90,-180", "0,0"])
def test_points_reach_to_the_poles_and_the_antimeridian(text):
    assert f"{locate(text).latitude:g},{locate(text).longitude:g}" == text


@pytest.mark.parametrize("text", ["91,0", "0,181", "-90.01,0", "0,-180.5", "999,999"])
def test_a_point_beyond_the_earth_is_refused(text):
    assert "degrees beyond 90 north or south" in refusal(text)


def test_a_name_of_several_cities_is_refused_with_all_of_them():
    message = refusal("London")
    assert "got 2 of them: London, GB (51.51,-0.13); London, CA (42.98,-81.23)" in message
    assert locate("London, GB").country == "GB"
    assert "of them: Springfield, US" in refusal("Springfield, US")


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "no such city"),
        ("Nowhere", "no such city"),
        ("Toronto, XX", "no country 'XX'"),
        ("Toronto, CN", "no such city"),
        ("1,2,3", "no country '3'"),
        (",", "no country ''"),
        ("nan,nan", "no country 'nan'"),
        ("TV", "no border for: name LATITUDE,LONGITUDE"),
        ("\x1b[31m\n", "no such city"),
        ("x" * 100_000, "no such city"),
    ],
)
def test_what_names_no_place_is_refused_in_one_line(text, got):
    assert got in refusal(text)


def test_every_country_with_people_has_a_city():
    countries = {city.country for cities in _cities().values() for city in cities}
    empty = {"AQ", "BV", "HM", "TF", "UM", "IO", "GS", "CC", "CX", "TK"}
    assert set(country_index()) - countries <= empty
    assert countries <= set(country_index())
