import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decryption import keylogs
from phonehome.captures.decryption.keylogs import KeylogError, keys_of, read_keylogs

RANDOM = "ab" * 32
LINE = f"CLIENT_TRAFFIC_SECRET_0 {RANDOM} {'cd' * 32}"
OUTER = {"layer": "OUTER", "encrypt": True, "key": "11" * 16, "nonce": "22" * 12, "tail": "33" * 8}
CANARY = "c0ffee" * 10


def test_keys_of_tls_are_known_by_the_random_of_their_client():
    keys = keys_of(f"# comment\r\n{LINE}\r\n\nEXPORTER_SECRET {RANDOM} 00ff\n".encode(), "keylog")
    assert keys.sources == {bytes.fromhex(RANDOM): "keylog"}
    assert [line.split()[0] for line in keys.lines] == [
        b"CLIENT_TRAFFIC_SECRET_0",
        b"EXPORTER_SECRET",
    ]
    assert keys.unread_lines == 0


def test_keys_of_mmtls_are_told_by_what_a_line_holds():
    inner = {"layer": "INNER", "key": "44" * 16, "iv": "55" * 16}
    keys = keys_of("\n".join(map(json.dumps, [OUTER, inner])).encode(), "keylog")
    outer, business = keys.mmtls
    assert (outer.is_inner, outer.is_up, outer.tail) == (False, True, b"3" * 8)
    assert (business.is_inner, business.is_up, business.start) == (True, None, b"U" * 16)


@pytest.mark.parametrize(
    "change",
    [{"layer": "MIDDLE"}, {"key": "11"}, {"key": "no"}, {"key": 7}, {"nonce": ""}, {"tail": ""}],
)
def test_a_key_of_mmtls_that_is_not_whole_is_none(change):
    keys = keys_of(json.dumps(OUTER | change).encode(), "keylog")
    assert (keys.mmtls, keys.unread_lines) == ([], 1)


def test_a_key_log_wins_over_a_secrets_block():
    both = keys_of(LINE.encode(), "keylog").merged(keys_of(LINE.encode(), "secrets_block"))
    assert (len(both.lines), list(both.sources.values())) == (1, ["keylog"])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(octets):
    keys = keys_of(octets, "keylog")
    assert len(keys.lines) + len(keys.mmtls) + keys.unread_lines <= len(octets) + 1


@pytest.mark.parametrize("text", ["", f"{CANARY}\n", f"CLIENT_RANDOM {CANARY}\n", '{"layer":'])
def test_a_file_without_a_key_is_refused_and_nothing_of_it_told(tmp_path, text):
    path = tmp_path / "k.log"
    path.write_text(text)
    with pytest.raises(KeylogError, match="none found") as error:
        read_keylogs([path])
    assert CANARY not in str(error.value)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(KeylogError, match="cannot be read"):
        read_keylogs([tmp_path / "none.log"])
    path = tmp_path / "k.log"
    path.write_text(LINE)
    monkeypatch.setattr(keylogs, "MOST_BYTES", 10)
    with pytest.raises(KeylogError, match="at most 10 bytes"):
        read_keylogs([path])


def test_keys_have_no_text_of_their_own():
    keys = keys_of(f"{LINE}\n{json.dumps(OUTER)}".encode(), "keylog")
    for said in (repr(keys), str(keys), repr(keys.mmtls)):
        assert RANDOM not in said
        assert "111111" not in said
        assert repr(b"\x11" * 16) not in said
