"""Stable tokens: found where an app keeps them, not where they mean nothing, and never shown."""

import json
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from analyzer.analysis import analyze
from analyzer.settings import Settings
from analyzer.tokens import MOST_LENGTH, carried, form_of
from tests.small_captures import PHONE, REMOTE, connection, ethernet, pcap, put

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
    monkeypatch.setattr("analyzer.tokens.MOST_VALUES", 2)
    exchanges = pl.DataFrame(
        {
            "conversation": [0] * 3,
            "is_from_b": [False] * 3,
            "frame": [1, 2, 3],
            "time": pl.Series([None] * 3, dtype=pl.Datetime("ns", "UTC")),
            "host": ["t.example"] * 3,
            "method": ["GET"] * 3,
            "target": [f"/{at}?id={HEX}" for at in range(3)],
        }
    )
    values, left_out = carried(exchanges)
    assert (values.height, left_out) == (2, 1)
