import json

import pytest

from phonehome.geo.countries import (
    countries,
    country_codes,
    country_index,
    country_name,
    world_topology,
)


def test_every_iso_country_and_kosovo_is_there_once_and_sorted():
    table = countries()
    assert table.height == 250
    assert table["code"].to_list() == sorted(country_codes())
    assert table["alpha_3"].n_unique() == 250


@pytest.mark.parametrize(
    ("code", "alpha_3", "name", "longitude", "latitude"),
    [
        ("SG", "SGP", "Singapore", 103.8, 1.4),
        ("HK", "HKG", "Hong Kong", 114.1, 22.4),
        ("MO", "MAC", "Macao", 113.5, 22.2),
        ("MT", "MLT", "Malta", 14.4, 35.9),
        ("BH", "BHR", "Bahrain", 50.5, 26.0),
        ("CN", "CHN", "China", 104.0, 35.0),
        ("US", "USA", "United States", -98.0, 39.0),
        ("CA", "CAN", "Canada", -100.0, 58.0),
        ("GF", "GUF", "French Guiana", -52.3, 4.9),
        ("TK", "TKL", "Tokelau", -171.2, -9.4),
        ("XK", "XKX", "Kosovo", 20.9, 42.6),
    ],
)
def test_a_country_is_labelled_where_it_lies(code, alpha_3, name, longitude, latitude):
    country = country_index()[code]
    assert (country.alpha_3, country.name) == (alpha_3, name)
    assert abs(country.longitude - longitude) < 6
    assert abs(country.latitude - latitude) < 6
    assert country_name(code) == name


def test_names_are_the_short_ones_in_common_use():
    names = {code: country_name(code) for code in ("TW", "IR", "KR", "VN", "GB")}
    assert names == {
        "TW": "Taiwan",
        "IR": "Iran",
        "KR": "South Korea",
        "VN": "Vietnam",
        "GB": "United Kingdom",
    }


def test_the_map_has_a_shape_for_exactly_the_countries_that_are_said_to_be_on_it():
    layers = json.loads(world_topology())["objects"]
    drawn = {each["id"] for each in layers["countries"]["geometries"] if each.get("id")}
    assert drawn == {each.alpha_3 for each in country_index().values() if each.is_on_map}
    assert {"SGP", "HKG", "MAC", "MLT", "BHR"}.isdisjoint(drawn)
    assert {"CHN", "USA", "CAN", "DEU"} <= drawn


def test_every_line_of_the_map_is_used_and_every_used_line_is_there():
    topology = json.loads(world_topology())
    used = set()

    def collect(arcs):
        if isinstance(arcs, list):
            for each in arcs:
                collect(each)
        else:
            used.add(arcs if arcs >= 0 else ~arcs)

    for layer in topology["objects"].values():
        for geometry in layer["geometries"]:
            collect(geometry["arcs"])
    assert used == set(range(len(topology["arcs"])))


def test_the_map_has_the_layers_that_plotly_draws():
    assert {"coastlines", "land", "ocean", "lakes", "countries"} == set(
        json.loads(world_topology())["objects"]
    )
