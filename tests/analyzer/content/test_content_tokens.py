"""Stable tokens: found where an app keeps them, not where they mean nothing, and never shown."""

import json
import shutil
import struct
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time
from urllib.parse import quote, urlencode

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.content import opaque_values
from phonehome.analyzer.content.opaque_values import (
    MOST_IN_REQUEST,
    MOST_LENGTH,
    Values,
    form_of,
    named,
)
from phonehome.analyzer.settings import Settings
from phonehome.captures.decryption.plaintext import Opened
from phonehome.captures.decryption.tshark_output import _time
from tests.captures.decryption.recording import Tls
from tests.small_captures import PHONE, REMOTE, connection, ethernet, pcap, put, udp

HEX = "9f86d081884c7d659a2feaa0c55ad015"
UUID = "38400000-8cf0-11bd-b23e-10b96e4ac0d9"
BASE64 = "Zk3qL9xTr0PvBw7yUd2Nh5Ms"
SECOND_REMOTE = "93.184.216.35"


def asked(*targets, host="t.example"):
    return [f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for target in targets]


def captured(tmp_path, *flows, name="x.pcap"):
    """A capture with a flow per list of requests."""
    frames = [
        octets
        for place, requests in enumerate(flows)
        for octets in connection(
            (PHONE, 50_001 + place), (REMOTE, 80), [("up", octets) for octets in requests]
        )
    ]
    timed = [ethernet(octets).at(place) for place, octets in enumerate(frames)]
    return put(tmp_path / name, pcap(timed))


def found(*captures, **settings):
    return analyze(list(captures), Settings(phones=(PHONE,), **settings)).tokens


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (HEX, "hex"),
        (HEX.upper(), "hex"),
        (HEX[:16], "hex"),
        (UUID, "uuid"),
        ("490154203237518", "decimal"),
        (BASE64, "base64"),
        (BASE64 + "==", "base64"),
    ],
)
def test_opaque_values_have_a_form(value, form):
    assert form_of(value) == form


@pytest.mark.parametrize(
    "value",
    [
        "",
        "chat",
        HEX[:15],
        "0" * 32,
        "00000000-0000-0000-0000-000000000000",
        "1600000000000000",
        "1600000000000000000",
        "20200919123456789",
        "deadbeefdeadbeefdead",
        "application/json",
        "getUserProfileAndSettings2",
        "this-is-a-title-of-an-article-2020",
        "com.example.app.MainActivity1",
        "a" * (MOST_LENGTH + 1),
        "Zk3q" * (MOST_LENGTH // 4 + 1),
    ],
)
def test_words_times_patterns_and_short_values_have_none(value):
    assert form_of(value) is None


def test_a_value_in_requests_that_differ_is_a_token(tmp_path):
    capture = captured(
        tmp_path, asked(f"/a?id={HEX}", f"/b?id={HEX}&x=1"), asked(f"/{HEX}/c", "/d")
    )
    rows = found(capture).select(
        "token", "form", "length", "field", "host", "requests", "flows", "token_requests", "frame"
    )
    assert rows.rows() == [
        (0, "hex", 32, "id", "t.example", 2, 1, 3, 3),
        (0, "hex", 32, "path", "t.example", 1, 1, 3, rows["frame"][1]),
    ]


def test_one_value_in_two_spellings_is_one_token(tmp_path):
    plain = UUID.replace("-", "").upper()
    capture = captured(tmp_path, asked(f"/a?id={UUID}", f"/b?id={plain}", f"/c?id={UUID.upper()}"))
    table = found(capture)
    assert table["token_requests"].to_list() == [3]
    assert table["form"].to_list() == ["uuid"]


def test_escapes_of_addresses_are_undone(tmp_path):
    escaped = BASE64 + "%3D%3d"
    table = found(captured(tmp_path, asked(*[f"/{at}?id={escaped}" for at in range(3)])))
    assert table.select("form", "length").rows() == [("base64", len(BASE64) + 2)]


def test_hosts_that_get_the_same_value_are_counted(tmp_path):
    flows = [asked(f"/{at}?u={BASE64}", host=f"h{at}.example") for at in range(4)]
    table = found(captured(tmp_path, *flows))
    assert table["host"].to_list() == [f"h{at}.example" for at in range(4)]
    assert table["token_hosts"].to_list() == [4] * 4


def test_a_value_of_two_captures_is_one_token(tmp_path):
    one = captured(tmp_path, asked(f"/a?id={HEX}", f"/b?id={HEX}"))
    other = captured(tmp_path, asked(f"/c?id={HEX}"), name="y.pcap")
    table = found(one, other)
    assert table.select("token_captures", "token_requests").rows() == [(2, 3)]


def test_nonces_are_no_tokens(tmp_path):
    targets = [f"/a{at}?nonce={sha256(bytes([at])).hexdigest()}" for at in range(20)]
    assert found(captured(tmp_path, asked(*targets))).is_empty()


def test_the_same_request_again_is_no_token(tmp_path):
    assert found(captured(tmp_path, *[asked(f"/a?id={HEX}")] * 5)).is_empty()


@pytest.mark.parametrize(
    "file", [f"/{HEX}/app{{}}.js", f"/img{{}}/{HEX}.png", f"/x{{}}.css?v={HEX}"]
)
def test_names_of_static_files_are_no_tokens(tmp_path, file):
    assert found(captured(tmp_path, asked(*[file.format(at) for at in range(5)]))).is_empty()


def test_what_a_tracking_pixel_carries_is_a_token(tmp_path):
    targets = [f"/p.gif?uid={HEX}&n={at}" for at in range(3)]
    assert found(captured(tmp_path, asked(*targets)))["field"].to_list() == ["uid"]


def test_what_others_ask_the_phone_is_no_token_of_it(tmp_path):
    targets = asked(*[f"/{at}?id={HEX}" for at in range(4)])
    packets = connection((REMOTE, 50_001), (PHONE, 80), [("up", octets) for octets in targets])
    frames = [ethernet(octets).at(place) for place, octets in enumerate(packets)]
    assert found(put(tmp_path / "x.pcap", pcap(frames))).is_empty()


def test_values_stand_in_no_output_unless_revealed(tmp_path, run):
    targets = [f"/{HEX}/{at}?u={BASE64}&d={UUID}" for at in range(3)]
    capture = captured(tmp_path, asked(*targets))
    for name, options in (("kept", []), ("shown", ["--reveal"])):
        forms = ("--format", "html,md,json,csv")
        output = ["-o", str(tmp_path / name)]
        done = run("analyze", capture, "--phone", PHONE, *forms, *options, *output)
        assert done.returncode == 0, done.stderr
    written = {
        name: "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(Path(tmp_path / name).rglob("*"))
            if path.is_file()
        )
        for name in ("kept", "shown")
    }
    for value in (HEX, BASE64, UUID):
        assert value not in written["kept"]
        assert value in written["shown"]
    rows = json.loads((tmp_path / "kept" / "analysis.json").read_text(encoding="utf-8"))["tokens"]
    assert {row["form"] for row in rows} == {"hex", "base64", "uuid"}


def test_a_digest_needs_the_key_of_a_list(tmp_path):
    capture = captured(tmp_path, asked(*[f"/{at}?id={HEX}" for at in range(3)]))
    assert found(capture)["digest"].to_list() == [None]
    path = tmp_path / "known.toml"
    path.write_text(
        f'digest_key = "{BASE64}"\n[[identifier]]\nkind = "text"\nvalue = "{HEX}"\n',
        encoding="utf-8",
    )
    keyed = analyze([capture], Settings(phones=(PHONE,), identifiers=(path,)))
    assert keyed.tokens["digest"].to_list() == keyed.identifiers["digest"].unique().to_list()


def test_too_many_values_are_counted_and_left_out(monkeypatch):
    monkeypatch.setattr("phonehome.analyzer.content.opaque_values.MOST_VALUES", 2)
    values = Values()
    values.look_into(
        pl.DataFrame(
            {
                "conversation": [0] * 3,
                "is_from_b": [False] * 3,
                "frame": [1, 2, 3],
                "time": pl.Series([None] * 3, dtype=pl.Datetime("ns", "UTC")),
                "method": ["GET"] * 3,
                "host": ["t.example"] * 3,
                "target": [f"/{at}?id={HEX}" for at in range(3)],
                "headers": pl.Series([None] * 3, dtype=pl.String),
                "body": pl.Series([None] * 3, dtype=pl.String),
            }
        )
    )
    assert (values.table().height, values.left_out) == (2, 1)


def posted(*bodies, kind, more=""):
    return [
        f"POST /collect HTTP/1.1\r\nHost: t.example\r\nContent-Type: {kind}\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        for body in bodies
    ]


def with_header(line, *targets):
    return [
        f"GET {target} HTTP/1.1\r\nHost: t.example\r\n{line}\r\n\r\n".encode() for target in targets
    ]


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5OTk5In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("requests", "field", "form"),
    [
        (with_header(f"Cookie: lang=en; sid={HEX}", "/1", "/2", "/3"), "cookie sid", "hex"),
        (with_header(f"X-Device-Id: {UUID}", "/1", "/2", "/3"), "header x-device-id", "uuid"),
        (
            with_header(f"Authorization: Bearer {JWT}", "/1", "/2", "/3"),
            "header authorization",
            "jwt",
        ),
        (
            posted(*[f"n={at}&install={HEX}" for at in range(3)], kind=FORM),
            "body install",
            "hex",
        ),
        (
            posted(*[json.dumps({"n": at, "ids": {"gaid": UUID}}) for at in range(3)], kind=JSON),
            "body gaid",
            "uuid",
        ),
        (
            posted(*[json.dumps({"n": at, "imei": 490154203237518}) for at in range(3)], kind=JSON),
            "body imei",
            "decimal",
        ),
        (
            posted(*[json.dumps({"n": at, "ids": ["x", HEX]}) for at in range(3)], kind=JSON),
            "body ids",
            "hex",
        ),
        (
            posted(*[json.dumps([at, [[490154203237518, at]]]) for at in range(3)], kind=JSON),
            "body ?",
            "decimal",
        ),
        (
            posted(
                *[json.dumps({"data": json.dumps({"n": at, "id": UUID})}) for at in range(3)],
                kind=JSON,
            ),
            "body data.id",
            "uuid",
        ),
        (
            posted(
                *[f"data={quote(json.dumps({'n': at, 'ids': [HEX]}))}" for at in range(3)],
                kind=FORM,
            ),
            "body data.ids",
            "hex",
        ),
        (
            with_header(
                "Cookie: prefs=" + quote(json.dumps({"uid": UUID, "lang": "en"})), "/1", "/2", "/3"
            ),
            "cookie prefs.uid",
            "uuid",
        ),
        (
            with_header(
                "X-Other: 1", *[f"/a?q={quote(json.dumps({'n': at, 'id': HEX}))}" for at in "123"]
            ),
            "q.id",
            "hex",
        ),
    ],
)
def test_cookies_headers_and_bodies_carry_tokens_too(tmp_path, requests, field, form):
    table = found(captured(tmp_path, requests))
    assert table.select("field", "form", "token_requests").rows() == [(field, form, 3)]


@pytest.mark.parametrize(
    "line",
    [
        f'If-None-Match: "{HEX}"',
        f"Referer: http://t.example/?a={HEX}",
        f"User-Agent: {BASE64}",
        f"traceparent: 00-{HEX}-00f067aa0ba902b7-01",
    ],
)
def test_headers_that_http_asks_for_carry_none(tmp_path, line):
    assert found(captured(tmp_path, with_header(line, "/1", "/2", "/3"))).is_empty()


def test_a_request_that_carries_a_value_twice_counts_once(tmp_path):
    requests = with_header(f"Cookie: sid={HEX}", f"/1?s={HEX}", f"/2?s={HEX}")
    assert found(captured(tmp_path, requests)).is_empty()
    more = [*requests, *with_header(f"Cookie: sid={HEX}", f"/3?s={HEX}")]
    table = found(captured(tmp_path, more))
    assert table.select("field", "requests", "token_requests").rows() == [
        ("cookie sid", 3, 3),
        ("s", 3, 3),
    ]


@pytest.mark.parametrize("name", ["\U0001f600", "\ud800", "a\ud83d"])
def test_half_of_a_character_in_a_nested_name_ends_nothing(tmp_path, name):
    bodies = [json.dumps({"n": at, "data": json.dumps({name: HEX})}) for at in range(3)]
    table = found(captured(tmp_path, posted(*bodies, kind=JSON)))
    assert table["token_requests"].to_list() == [3]
    raw = [body.replace("\\\\u", "\\u") for body in bodies]
    assert found(captured(tmp_path, posted(*raw, kind=JSON)))["token_requests"].to_list() == [3]


@pytest.mark.parametrize(
    ("bodies", "kind", "field"),
    [
        (  # a batch of events
            [
                "t=0&data="
                + quote(json.dumps({"id": HEX, "ev": [{"n": n, "at": at} for n in range(99)]}))
                for at in range(3)
            ],
            FORM,
            "body data.id",
        ),
        (  # longer than what is looked at
            [
                json.dumps(
                    {"t": at, "p": json.dumps({"id": HEX, "ev": [{"n": n} for n in range(3_000)]})}
                )
                for at in range(3)
            ],
            JSON,
            "body p.id",
        ),
        (
            [
                json.dumps({"n": at, "d": json.dumps({"i": 490154203237518}, indent=1)})
                for at in range(3)
            ],
            JSON,
            "body d.i",
        ),
        (
            [urlencode({"n": at, "d": json.dumps({"i": 490154203237518})}) for at in range(3)],
            FORM,
            "body d.i",
        ),
        (
            [json.dumps({"n": at, "d": " \n" + json.dumps({"i": HEX})}) for at in range(3)],
            JSON,
            "body d.i",
        ),
    ],
)
def test_json_in_ordinary_shapes_is_looked_through(tmp_path, bodies, kind, field):
    table = found(captured(tmp_path, posted(*bodies, kind=kind)))
    assert table.select("field", "token_requests").rows() == [(field, 3)]


@pytest.mark.parametrize(
    "value",
    [
        "48.856614200000003",
        "-2.3522219000000177",
        "9223372036854775807",
        "9007199254740991",
        "638312345678901234",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "1B2M2Y8AsgTpgAmy7PhCfg==",
        "0123456789abcdef",
    ],
)
def test_fractions_times_and_what_stands_for_nothing_are_no_tokens(value):
    taken = []
    assert opaque_values._without(taken, "x", value) is None
    assert taken == []


def test_an_address_in_a_name_of_json_is_withheld_however_it_is_escaped():
    taken = []
    opaque_values._in_body('{"alice\\u0040example.org": "' + HEX + '"}', taken)
    assert [one.field for one in taken] == ["body …"]


def test_json_below_two_layers_is_left_alone(tmp_path):
    def wrapped(at, layers):
        body = {"n": at, "id": HEX}
        for _ in range(layers):
            body = {"n": at, "d": json.dumps(body)}
        return json.dumps(body)

    def fields(layers):
        bodies = [wrapped(at, layers) for at in range(3)]
        return found(captured(tmp_path, posted(*bodies, kind=JSON)))["field"].to_list()

    assert fields(2) == ["body d.d.id"]
    assert fields(3) == []


@pytest.mark.parametrize("end", ["", "\\", '\\"'])
def test_a_value_that_a_body_was_cut_within_is_none(end):
    texts = ['{"id": "' + HEX, '{"id": 490154203237518']
    for text in texts if end == "" else texts[:1]:
        taken = []
        assert opaque_values._in_json(text + end, taken, "", 2) == (text + end)
        assert taken == []


@pytest.mark.parametrize(
    "text",
    [
        '{"' + '\\"' * 8_000,
        '"' * 16_000,
        '{"a":' * 3_000,
        '["' + "\\" * 16_000,
        '"a"' + " " * 16_000,
        '{"a": "{' + '\\"' * 8_000,
        "[" + "1" * 16_000,
        '["' + "{[" * 8_000 + '"]',
    ],
)
def test_hostile_json_takes_no_time(text):
    begin = process_time()
    opaque_values._in_json(text, [], "", 2)
    assert process_time() - begin < 0.5


def test_the_same_body_again_is_no_token(tmp_path):
    assert found(captured(tmp_path, posted(*[f"id={HEX}"] * 4, kind=FORM))).is_empty()


def test_a_field_whose_name_is_opaque_is_not_named(tmp_path):
    bodies = [json.dumps({"n": at, UUID: HEX}) for at in range(3)]
    assert found(captured(tmp_path, posted(*bodies, kind=JSON)))["field"].to_list() == ["body …"]


def test_values_of_cookies_headers_and_bodies_stand_in_no_output(tmp_path, run):
    requests = [
        *with_header(f"Cookie: sid={HEX}\r\nAuthorization: Bearer {JWT}", "/1", "/2", "/3"),
        *posted(*[f"n={at}&u={UUID}" for at in range(3)], kind=FORM),
    ]
    capture = captured(tmp_path, requests)
    forms = ("--format", "html,md,json,csv,parquet")
    done = run("analyze", capture, "--phone", PHONE, *forms, "-o", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    written = b"".join(path.read_bytes() for path in sorted((tmp_path / "kept").iterdir()))
    assert not [value for value in (HEX, JWT, UUID) if value.encode() in written]
    assert b"cookie sid" in written


def opened(tmp_path, tls):
    capture = put(tmp_path / "tls.pcap", pcap(tls.line.frames))
    assert found(capture).is_empty()
    return found(capture, keylogs=(tmp_path / "keys.log",))


with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.mark.tshark
@with_tshark
def test_keys_open_requests_that_carry_tokens(tmp_path):
    tls = Tls(tmp_path, alpn=["http/1.1"])
    bodies = posted(*[f"n={at}&u={UUID}" for at in range(3)], kind=FORM)
    for octets in (*with_header(f"Cookie: sid={HEX}", "/1", "/2", "/3"), *bodies):
        tls.say(octets, is_up=True)
    tls.close()
    table = opened(tmp_path, tls)
    assert table.select("field", "form", "host", "token_requests").sort("field").rows() == [
        ("body u", "uuid", "t.example", 3),
        ("cookie sid", "hex", "t.example", 3),
    ]


def h2_frame(kind, flags, stream, payload):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


@pytest.mark.tshark
@with_tshark
def test_keys_open_requests_of_http2_that_carry_tokens(tmp_path):
    tls = Tls(tmp_path, alpn=["h2"])
    tls.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2_frame(4, 0, 0, b""), is_up=True)
    for at in range(3):
        path = f"/{at}?id={HEX}".encode()
        cookie = f"sid={BASE64}".encode()
        head = b"\x82\x87\x04" + bytes([len(path)]) + path + b"\x01\x09t.example"
        head += b"\x00\x06cookie" + bytes([len(cookie)]) + cookie
        tls.say(h2_frame(1, 5, 2 * at + 1, head), is_up=True)
    tls.close()
    table = opened(tmp_path, tls)
    assert table.select("field", "form", "host", "token_requests").sort("field").rows() == [
        ("cookie sid", "base64", "t.example", 3),
        ("id", "hex", "t.example", 3),
    ]


@pytest.mark.parametrize(("remote", "tokens"), [("239.255.255.250", 0), (REMOTE, 1)])
def test_calls_to_all_around_carry_none(tmp_path, remote, tokens):
    search = "M-SEARCH * HTTP/1.1\r\nHOST: {}\r\n01-NLS: {}\r\n\r\n"
    frames = [
        ethernet(udp((PHONE, 50_001), (remote, 1900), search.format(at, HEX).encode()))
        for at in range(4)
    ]
    table = found(put(tmp_path / "ssdp.pcap", pcap(frames)))
    assert table["token"].n_unique() == tokens


FCM = "cXyZ09aBcDeFgHiJkLmNop:APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ"


@pytest.mark.parametrize(
    ("requests", "field", "form"),
    [
        (
            posted(*[json.dumps({"n": at, "jwt": JWT}) for at in range(3)], kind=JSON),
            "body jwt",
            "jwt",
        ),
        (
            posted(
                *[f'{{"n":{at},"key":"{BASE64[:12]}\\/{BASE64[12:]}"}}' for at in range(3)],
                kind=JSON,
            ),
            "body key",
            "base64",
        ),
        (
            with_header(f"Cookie: connect.sid=s%3A{BASE64}.x", "/1", "/2", "/3"),
            "cookie connect.sid",
            "base64",
        ),
        (asked(*[f"/{at};jsessionid={HEX.upper()}" for at in range(3)]), "path", "hex"),
        (asked(*[f"/{at}?{UUID}" for at in range(3)]), "?", "uuid"),
        (asked(*[f"/{at}?mp_{HEX}_x={UUID}" for at in range(3)]), "…", "uuid"),
    ],
)
def test_values_stand_where_apps_put_them(tmp_path, requests, field, form):
    table = found(captured(tmp_path, requests))
    assert (field, form, 3) in table.select("field", "form", "token_requests").rows()


def test_a_token_of_a_push_service_is_found(tmp_path):
    bodies = [json.dumps({"n": at, "fcm": FCM}) for at in range(3)]
    table = found(captured(tmp_path, posted(*bodies, kind=JSON)))
    assert set(table["field"].to_list()) == {"body fcm"}


def test_what_differs_in_body_or_target_is_another_request(tmp_path):
    bodies = posted(*[f"n={at}" for at in range(3)], kind=FORM, more=f"X-Device-Id: {UUID}\r\n")
    assert found(captured(tmp_path, bodies))["token_requests"].to_list() == [3]
    paths = [
        one.replace(b"/collect", f"/p{at}".encode())
        for at, one in enumerate(posted(*[f"id={HEX}"] * 3, kind=FORM))
    ]
    assert found(captured(tmp_path, paths))["token_requests"].to_list() == [3]


def test_the_same_request_with_a_value_in_two_fields_is_no_token(tmp_path):
    same = with_header(f"Cookie: id={UUID}", *[f"/x?id={UUID}&b={UUID}"] * 4)
    assert found(captured(tmp_path, same)).is_empty()


def test_a_nonce_beside_a_value_makes_another_request(tmp_path):
    nonces = [sha256(b"%d" % at).hexdigest() for at in range(3)]
    table = found(captured(tmp_path, asked(*[f"/x?id={HEX}&n={nonce}" for nonce in nonces])))
    assert table.select("field", "token_requests").rows() == [("id", 3)]


def test_padding_and_alphabet_of_base64_make_no_other_token(tmp_path):
    value = "Zk3q/9xTr0PvB+7yUd2Nh5Ms8A"
    safe = value.replace("/", "_").replace("+", "-")
    requests = [
        *asked(f"/1?t={value}==".replace("+", "%2B"), f"/2?t={safe}"),
        *with_header(f"X-T: {safe}==", "/3", "/4"),
    ]
    assert set(found(captured(tmp_path, requests))["token_requests"].to_list()) == {4}


@pytest.mark.parametrize(
    "line",
    [
        "X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "X-Sum: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        f"X-B3-TraceId: {HEX}",
        f"X-Request-Id: {UUID}",
    ],
)
def test_what_names_a_request_or_nothing_is_no_token(tmp_path, line):
    assert found(captured(tmp_path, with_header(line, "/1", "/2", "/3"))).is_empty()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("device_id", "device_id"),
        ("advertisingIdentifierEnabled", "advertisingIdentifierEnabled"),
        ("connect.sid", "connect.sid"),
        ("13812345678", "…"),
        ("alice@example.com", "…"),
        ("%33fa85f64-5717-4562-b3fc-2c963f66afa6", "…"),
        ("dev-3fa85f64-5717-4562-b3fc-2c963f66afa6", "…"),
        ("user:3fa85f64-5717-4562-b3fc-2c963f66afa6", "user:…"),
        (f"mp_{HEX}_mixpanel", "…"),
        ("x" * 56 + "alice.smith@example.org", "…"),
        ("1234567L9xTr0PvBw7yUd2NhM", "…"),
        ("alice%2540example.org", "…"),
        ("+1 416 555 0199", "…"),
        ("tel 416-555-0199", "tel …"),
        ("138 1234 5678", "…"),
        ("a4:b1:c2:d3:e4:f5", "…"),
        ("mac_a4b1c2d3e4f5", "mac_…"),
        ("43.651070,-79.347015", "…,…"),
        ("192.168.1.20", "…"),
        ("fe80::1ff:fe23:4567:890a", "…"),
        ("utm_source", "utm_source"),
        ("p0_x2.y3", "p0_x2.y3"),
        ("ios_17.4.1", "ios_17.4.1"),
    ],
)
def test_the_name_of_a_field_names_nobody(name, shown):
    assert named(name) == shown


def test_idle_requests_count_once_whatever_fields_carry_the_value(tmp_path):
    timeline = tmp_path / "t.csv"
    timeline.write_text("start,end,state,label\n0,600,idle,off\n", encoding="utf-8")
    requests = with_header(f"Cookie: sid={HEX}", *[f"/{at}?s={HEX}" for at in range(3)])
    table = found(captured(tmp_path, requests), timelines=(timeline,))
    assert table["idle_requests"].to_list() == [3, 3]
    assert table["token_idle_requests"].to_list() == [3, 3]


def piece(what, octets, *, stream=0, frame=1):
    ends = ("tcp", PHONE, 50_001, REMOTE, 443)
    return Opened(*ends, frame, None, "tls", what, octets, stream)


def looked(*pieces):
    values = Values()
    for one in pieces:
        values.look_into_opened(one, 0, is_from_b=False)
    return values.table()


def h2_head(authority, path="/", method="POST", more=""):
    lines = f":method: {method}\r\n:authority: {authority}\r\n:path: {path}\r\n"
    return f"{lines}content-type: application/json\r\n{more}".encode("latin-1")


def test_a_body_of_http2_belongs_to_the_head_of_its_stream():
    table = looked(
        piece("http2 request head", h2_head("sender.example"), stream=1),
        piece("http2 request head", h2_head("cdn.example", method="GET"), stream=3),
        piece("http2 request body", json.dumps({"id": UUID}).encode(), stream=1),
    )
    assert table["named"].to_list() == ["sender.example"]


def test_a_body_whose_head_says_too_little_belongs_to_no_other():
    body = json.dumps({"id": UUID}).encode()
    table = looked(
        piece("http2 request head", h2_head("a.example"), stream=1),
        piece("http2 request head", b":method: POST\r\n", stream=1),
        piece("http2 request body", body, stream=1),
    )
    assert table.is_empty()


@pytest.mark.parametrize(
    "authority", ["a.example", "A.example", "a.example:443", "user:pass@a.example"]
)
def test_one_host_has_one_name(authority):
    table = looked(piece("http2 request head", h2_head(authority, f"/?i={UUID}", "GET")))
    assert table["named"].to_list() == ["a.example"]


def test_a_path_forges_no_host():
    path = f"/\x85:authority: evil.example/?i={UUID}"
    table = looked(piece("http2 request head", h2_head("a.example", path, "GET")))
    assert table["named"].to_list() == ["a.example"]


def test_a_time_that_no_table_holds_is_none():
    assert _time("10000000000.5") is None
    assert _time("1600000000.5") == 1_600_000_000_500_000_000


def test_long_heads_and_many_values_are_looked_through_in_bounded_time():
    path = "/?" + "&".join(f"k{at}={sha256(b'%d' % at).hexdigest()}" for at in range(14_000))
    begin = perf_counter()
    values = Values()
    for at in range(20):
        head = piece("http2 request head", h2_head("a.example", path, "GET"), frame=at + 1)
        values.look_into_opened(head, 0, is_from_b=False)
    assert perf_counter() - begin < 5
    assert values.table().height <= 20 * MOST_IN_REQUEST


def test_the_same_value_is_kept_once():
    line = f"authorization: Bearer {JWT}\r\n"
    heads = [
        piece("http2 request head", h2_head("a.example", f"/{at}", "GET", line))
        for at in range(500)
    ]
    values = Values()
    for one in heads:
        values.look_into_opened(one, 0, is_from_b=False)
    assert len(values._described) == 1
    assert values.table().height == 500
