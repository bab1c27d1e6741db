import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decryption.keylogs import keys_of
from phonehome.captures.decryption.wechat_business import BusinessKeys
from tests.captures.decryption.made_mmtls import cbc, line, packed, short_request

KEY, IV, NONCE = bytes(range(16)), bytes(range(50, 66)), bytes(range(70, 82))
TEXT = b"\x0a\x10account 12345678" * 5


def keys(*lines):
    return BusinessKeys(keys_of("\n".join(lines).encode(), "keylog").mmtls)


@given(st.binary(max_size=60))
def test_packed_text_is_found_behind_a_header_of_any_length(header):
    ciphertext = cbc(KEY, IV, packed(TEXT))
    message = short_request(header + ciphertext)
    for has_tail in (True, False):
        known = keys(line("INNER", KEY, IV, ciphertext, has_tail=has_tail))
        assert known.open(message) == (TEXT, True)


def test_text_that_is_not_packed_is_believed_only_with_its_tail():
    ciphertext = cbc(KEY, IV, TEXT)
    message = short_request(b"\xbf" * 7 + ciphertext)
    assert keys(line("INNER", KEY, IV, ciphertext)).open(message) == (TEXT, True)
    assert keys(line("INNER", KEY, IV, ciphertext, has_tail=False)).open(message) == (b"", False)


@pytest.mark.parametrize("size", [16, 24])
@pytest.mark.parametrize("text", [TEXT, packed(TEXT)])
def test_hybrid_encryption_is_opened_and_unpacked(size, text):
    key = bytes(size)
    ciphertext = AESGCM(key).encrypt(NONCE, text, b"said")
    message = short_request(b"\xbf" * 21 + ciphertext)
    for has_tail in (True, False):
        known = keys(line("INNER", key, NONCE, ciphertext, b"said", has_tail=has_tail))
        assert known.open(message) == (TEXT, True)


def test_a_wrong_key_opens_nothing():
    ciphertext = cbc(KEY, IV, packed(TEXT))
    message = short_request(ciphertext)
    wrong = keys(
        line("INNER", bytes(16), IV, ciphertext, has_tail=False),
        line("INNER", bytes(16), NONCE, ciphertext, has_tail=False),
    )
    assert wrong.open(message) == (b"", False)
    assert keys(line("INNER", bytes(16), NONCE, ciphertext)).open(message) == (b"", True)


@given(st.binary(max_size=200))
def test_any_message_is_tried_without_an_error(message):
    both = keys(
        line("INNER", KEY, IV, b"", has_tail=False), line("INNER", KEY, NONCE, b"", has_tail=False)
    )
    assert both.open(message).plain == b""
