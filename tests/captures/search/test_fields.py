"""Names of fields, from what stands before a value."""

import pytest

from phonehome.captures.search.fields import field_at

VALUE = b"VALUE"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"a":1,"device_id":"VALUE"}', "device_id"),
        (b'{"a" : [1, VALUE]}', "a"),
        (b'{"p":"{\\"inner\\":\\"VALUE\\"}"}', "inner"),
        (b"POST /x?a=1&gaid=VALUE HTTP/1.1", "gaid"),
        (b"b=2&mail=VALUE", "mail"),
        (b"Cookie: sid=1; uid=VALUE", "uid"),
        (b"<d><imei>VALUE</imei>", "imei"),
        (b'<d imei="VALUE">', "imei"),
        (b"GET / HTTP/1.1\r\nX-Device: VALUE\r\n", "X-Device"),
        (b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nVALUE', "f"),
        (b"VALUE", None),
        (b"just words VALUE", None),
        (bytes(300) + b"VALUE", None),
    ],
)
def test_a_field_is_named_by_what_stands_before_its_value(text, name):
    assert field_at(text, text.index(VALUE)) == name


@pytest.mark.parametrize("text", [b"<a " * 400, b'"a":' * 300, b"a=" * 600, b'name="x"' * 200])
def test_what_looks_like_many_names_costs_little(text):
    for _ in range(20):
        field_at(text, len(text))
