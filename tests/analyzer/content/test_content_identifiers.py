"""Known identifiers: read from lists, found in captures, and never shown."""

import json
import random
from pathlib import Path

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.content.identifiers import IdentifiersError, read_identifiers
from phonehome.analyzer.settings import Settings
from phonehome.captures.search.encodings import forms
from phonehome.captures.search.known_values import Identifier
from tests.small_captures import PHONE, REMOTE, connection, ethernet, pcap, put

EMAIL, IMEI = "ann.test@parrot.example", "490154203237518"
LIST = f"""
digest_key = "0123456789abcdef0123456789abcdef"

[[identifier]]
kind = "email"
label = "Ann's address"
value = "{EMAIL}"

[[identifier]]
kind = "imei"
value = {IMEI}
"""
HEAD = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043") + bytes(range(64))
END = b"\0\0\xff\xd9" + bytes(range(99, 129))
PICTURE = HEAD + random.Random(8).randbytes(9_000) + END  # noqa: S311 - not for secrets
TIMELINE = "start,end,state,label\n0,4,active,chat\n4,60,idle,night\n"


def listed(tmp_path, text=LIST):
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")
    return path


def analysed(tmp_path, **settings):
    body = json.dumps({"mail": EMAIL}).encode()
    head = b"POST /v1?imei=" + IMEI.encode() + b" HTTP/1.1\r\nHost: t.example\r\n"
    message = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    packets = connection((PHONE, 50_001), (REMOTE, 80), [("up", message), ("up", message)])
    frames = [ethernet(octets).at(2 * place) for place, octets in enumerate(packets)]
    timeline = tmp_path / "t.csv"
    timeline.write_text(TIMELINE, encoding="utf-8")
    capture = put(tmp_path / "x.pcap", pcap(frames))
    lists = (listed(tmp_path),)
    return analyze(
        [capture],
        Settings(identifiers=lists, timelines=(timeline,), phones=(PHONE,), **settings),
    )


def searched(tmp_path, known, *bodies):
    """A capture in which each body is sent once, analysed with a list."""
    head = b"POST /v1 HTTP/1.1\r\nHost: t.example\r\nContent-Length: %d\r\n\r\n"
    sent = [("up", head % len(body) + body) for body in bodies]
    packets = connection((PHONE, 50_001), (REMOTE, 80), sent)
    frames = [ethernet(octets).at(place) for place, octets in enumerate(packets)]
    capture = put(tmp_path / "y.pcap", pcap(frames))
    return analyze([capture], Settings(identifiers=(known,), phones=(PHONE,)))


def test_what_is_found_is_told_with_flow_phase_and_place(tmp_path):
    found = analysed(tmp_path).identifiers
    columns = ("label", "kind", "host", "state", "is_up", "part", "field", "count", "confidence")
    assert found.select(columns).rows() == [
        ("Ann's address", "email", "t.example", "idle", True, "request body", "mail", 2, "certain"),
        ("IMEI", "imei", "t.example", "idle", True, "request head", "imei", 2, "certain"),
    ]
    assert found["frame"].to_list() == [3, 3]


def test_a_value_is_written_only_where_that_was_asked_for(tmp_path):
    hidden, shown = analysed(tmp_path), analysed(tmp_path, is_revealed=True)
    assert hidden.identifiers["value"].to_list() == [None, None]
    assert shown.identifiers["value"].to_list() == [EMAIL, IMEI]


def test_the_same_value_and_key_have_the_same_digest(tmp_path):
    known = read_identifiers([listed(tmp_path)])
    other = read_identifiers([listed(tmp_path, LIST.replace("abcdef", "fedcba"))])
    assert known.digest(0) == read_identifiers([listed(tmp_path)]).digest(0)
    assert known.digest(0) not in {other.digest(0), known.digest(1)}
    keyless = read_identifiers([listed(tmp_path, "\n".join(LIST.split("\n")[2:]))])
    assert keyless.digest(0) is None


def test_how_much_was_searched_is_told(tmp_path):
    summary = analysed(tmp_path).summary
    assert summary.searched_up_bytes == summary.up_unique_bytes > 0


def test_without_a_list_nothing_is_searched(tmp_path):
    capture = put(
        tmp_path / "x.pcap",
        pcap(
            [
                ethernet(one)
                for one in connection((PHONE, 50_001), (REMOTE, 80), [("up", EMAIL.encode())])
            ]
        ),
    )
    result = analyze([capture], Settings(phones=(PHONE,)))
    assert result.identifiers.is_empty()
    assert result.summary.searched_up_bytes is None


def test_a_planted_file_lies_beside_the_list(tmp_path):
    (tmp_path / "planted.bin").write_bytes(bytes(range(200)))
    known = read_identifiers(
        [listed(tmp_path, '[[identifier]]\nkind = "file"\nfile = "planted.bin"\n')]
    )
    assert known.identifiers[0].content == bytes(range(200))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no [[identifier]]"),
        ("x = 1", "nothing else"),
        ("not toml", "not TOML (at line 1, column 5)"),
        ('digest_key = "short"', "digest_key"),
        ('[[identifier]]\nkind = "shoe"', "kind: one of"),
        ('[[identifier]]\nkind = "imei"', "a value, or a file"),
        ('[[identifier]]\nkind = "imei"\nvalue = "  "', "a value, or a file"),
        ('[[identifier]]\nkind = "imei"\nvalue = 1.5', "value: a text"),
        ('[[identifier]]\nkind = "imei"\nvalue = "1"\ncolour = "red"', "only file, keys"),
        ('[[identifier]]\nkind = "imei"\nvalue = "490154203237518"\nkeys = [1]', "a list of texts"),
        ('[[identifier]]\nkind = "coordinates"\nvalue = "91,0"', "latitude,longitude"),
        ('[[identifier]]\nkind = "coordinates"\nvalue = "1,2"\ntolerance = 0', "tolerance"),
        ('[[identifier]]\nkind = "coordinates"\nvalue = "1,2"\ntolerance = 1e-200', "tolerance"),
        ('[[identifier]]\nkind = "imei"\nfile = "x"', "of kind file"),
        ('[[identifier]]\nkind = "file"\nfile = "missing"', "cannot be read"),
        ("identifier = 3", "nothing else"),
        ("a = " + "[" * 5_000, "not TOML"),
    ],
)
def test_what_is_no_list_is_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(IdentifiersError) as refused:
        read_identifiers([listed(tmp_path, text)])
    assert said in str(refused.value) or "nested" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_octets_that_are_no_text_are_refused(tmp_path):
    path = Path(tmp_path / "known.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(IdentifiersError, match="not UTF-8"):
        read_identifiers([path])


def test_a_value_that_is_too_short_is_refused_by_its_label(tmp_path):
    short = '[[identifier]]\nkind = "text"\nlabel = "pin"\nvalue = "1234"'
    with pytest.raises(IdentifiersError, match="pin: too short"):
        read_identifiers([listed(tmp_path, short)])


def test_a_value_that_is_too_long_is_refused_by_its_label(tmp_path):
    long = f'[[identifier]]\nkind = "text"\nlabel = "essay"\nvalue = "{"secret words " * 240}"'
    with pytest.raises(IdentifiersError, match="essay: longer than") as refused:
        read_identifiers([listed(tmp_path, long)])
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["13800138000", "38400000-8cf0-11bd-b23e-10b96e40000d"])
def test_what_may_name_a_person_in_the_name_of_a_field_is_withheld(tmp_path, name):
    found = searched(tmp_path, listed(tmp_path), json.dumps({name: IMEI}).encode()).identifiers
    assert found["field"].to_list() == ["…"]


def planted(tmp_path, *bodies, content=PICTURE):
    """What is found of a picture with the head that many have, in these requests."""
    (tmp_path / "planted.jpg").write_bytes(content)
    path = listed(tmp_path, '[[identifier]]\nkind = "file"\nfile = "planted.jpg"\n')
    return searched(tmp_path, path, *bodies).identifiers


def test_another_picture_is_not_taken_for_the_planted_one(tmp_path):
    other = HEAD + random.Random(9).randbytes(9_000) + END  # noqa: S311 - not for secrets
    assert planted(tmp_path, other).is_empty()


def test_one_piece_of_a_file_is_likely_and_two_are_certain(tmp_path):
    assert set(planted(tmp_path, PICTURE)["confidence"]) == {"certain"}
    pieces = forms(Identifier(label="x", kind="file", content=PICTURE))
    one = planted(tmp_path, b"before" + next(pieces).octets + b"behind")
    assert one.select("encoding", "confidence").rows() == [("piece 1 of 8", "likely")]


def test_a_file_that_is_one_piece_is_certain_where_that_is_found(tmp_path):
    small = bytes(range(7, 27))
    found = planted(tmp_path, b"before" + small, content=small)
    assert found.select("encoding", "confidence").rows() == [("piece 1 of 1", "certain")]
