from phonehome.geo.borders import km_from_point
from phonehome.geo.country_distances import km_from_country
from phonehome.geo.gazetteer import Location, locate
from phonehome.geo.signal_reach import GRANTED_KM, KM_A_SECOND, least_km


def test_light_in_fibre_goes_at_two_thirds_of_its_speed():
    assert abs(KM_A_SECOND - 299_792.458 * 2 / 3) < 200


def test_a_city_is_measured_from_its_point_and_a_country_from_its_border():
    far = {"SG", "AU"}
    city = locate("Toronto, CA")
    exact = km_from_point(city.latitude, city.longitude, far)
    assert least_km(city, far) == {code: exact[code] - GRANTED_KM for code in far}
    whole = km_from_country("CA", far)
    assert least_km(locate("CA"), far) == {code: whole[code] - GRANTED_KM for code in far}
    assert all(least_km(locate("CA"), far)[code] < least_km(city, far)[code] for code in far)


def test_what_is_nearer_than_what_is_granted_is_no_distance():
    assert least_km(locate("51.0,1.4"), ["FR", "GB"]) == {"FR": 0, "GB": 0}


def test_a_country_without_a_border_and_a_place_without_a_point_are_no_distance_at_all():
    assert least_km(locate("0,0"), ["TV"]) == {}
    assert least_km(Location("nowhere", None), ["GH"]) == {}
