"""JA3 and JA4 against published values and an OpenSSL client; hellos that lie give nothing."""

import hashlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.fingerprints import DTLS, QUIC, fingerprint, is_grease
from tests.captures.payloads import openssl_hello, server_name, sized

GREASE = [0x0A0A, 0x1A1A, 0xFAFA]
CHROME_CIPHERS = "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
CHROME_SIGNATURES = "0403 0804 0401 0503 0805 0501 0806 0601"
CHROME_KINDS = "001b 0033 0000 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b 000a 0015"


def numbers(text):
    return [int(word, 16) for word in text.split()]


def octets(*found):
    return b"".join(number.to_bytes(2) for number in found)


def extension(kind, content=b""):
    return octets(kind) + sized(content, 2)


def hello(ciphers, extensions, legacy=0x0303, cookie=None):
    body = octets(legacy) + bytes(32) + sized(b"", 1)
    body += b"" if cookie is None else sized(cookie, 1)
    body += sized(octets(*ciphers), 2) + sized(b"\0", 1)
    return b"\x01" + sized(body + sized(b"".join(extensions), 2), 3)


def chrome(first=(), kinds=CHROME_KINDS):
    """The hello from which FoxIO's description of JA4 computes its example."""
    contents = {
        0x0000: server_name(b"example.com")[4:],
        0x0010: sized(sized(b"h2", 1) + sized(b"http/1.1", 1), 2),
        0x002B: sized(octets(*first, 0x0304, 0x0303), 1),
        0x000D: sized(octets(*numbers(CHROME_SIGNATURES)), 2),
        0x000A: sized(octets(*first, 0x001D, 0x0017, 0x0018), 2),
        0x000B: sized(b"\0", 1),
    }
    extensions = [extension(kind, contents.get(kind, b"")) for kind in numbers(kinds)]
    return hello([*first, *numbers(CHROME_CIPHERS)], [*map(extension, first), *extensions])


def test_the_published_example_of_ja4():
    found = fingerprint(chrome())
    assert found.ja4 == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert (found.version, found.alpn, found.is_ech) == (0x0304, (b"h2", b"http/1.1"), False)


def test_ja3_is_the_md5_of_its_text():
    text = ",".join(
        (
            "771",
            "-".join(str(number) for number in numbers(CHROME_CIPHERS)),
            "-".join(str(number) for number in numbers(CHROME_KINDS)),
            "29-23-24",
            "0",
        )
    )
    assert fingerprint(chrome()).ja3 == hashlib.md5(text.encode()).hexdigest()  # noqa: S324


@pytest.mark.parametrize("number", GREASE)
def test_grease_changes_nothing(number):
    assert fingerprint(chrome([number])) == fingerprint(chrome())


def test_grease_is_sixteen_numbers():
    assert [number for number in range(1 << 16) if is_grease(number)] == [
        0x0A0A + 0x1010 * step for step in range(16)
    ]


def test_the_order_of_extensions_changes_ja3_alone():
    kinds = " ".join(reversed(CHROME_KINDS.split()))
    one, other = fingerprint(chrome()), fingerprint(chrome(kinds=kinds))
    assert one.ja4 == other.ja4
    assert one.ja3 != other.ja3


@pytest.mark.parametrize(
    ("alpn", "ends"),
    [
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"", "00"),
        (b"\xab\xcd", "ad"),
        (b"a\xcd", "6d"),
        (b" h", "28"),
    ],
)
def test_ja4_spells_the_first_protocol_by_its_ends(alpn, ends):
    content = sized(sized(alpn, 1), 2)
    assert fingerprint(hello([0x1301], [extension(0x10, content)])).ja4[8:10] == ends


def test_a_hello_without_lists_has_hashes_of_zeros():
    assert fingerprint(hello([], [])).ja4 == "t12i000000_000000000000_000000000000"
    named = [extension(0, server_name(b"a.example")[4:])]
    assert fingerprint(hello([], named)).ja4 == "t12d000100_000000000000_000000000000"


def test_transport_and_version_stand_at_the_begin():
    assert fingerprint(chrome(), QUIC).ja4.startswith("q13d")
    assert fingerprint(hello([0xC02B], [], 0xFEFD, b"cookie"), DTLS).ja4.startswith("dd2i01")
    assert fingerprint(hello([0xC02B], [], 0x0301)).ja4.startswith("t10i01")
    assert fingerprint(hello([0xC02B], [], 0x7777)).ja4.startswith("t00i01")


def test_more_than_ninety_nine_are_ninety_nine():
    assert fingerprint(hello(range(0x1301, 0x1301 + 150), [])).ja4.startswith("t12i9900")


def test_encrypted_client_hello_is_seen():
    assert fingerprint(hello([0x1301], [extension(0xFE0D, b"x")])).is_ech


def test_openssl_offers_what_it_was_told():
    context = ssl.create_default_context()
    context.set_alpn_protocols(["spdy/9", "h3"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    found = fingerprint(outgoing.read()[5:])
    assert found.alpn == (b"spdy/9", b"h3")
    assert found.ja4.startswith("t13d")
    assert found.ja4[8:10] == "s9"


def test_a_hello_that_is_cut_or_lies_has_no_fingerprint():
    whole = chrome()
    assert all(fingerprint(whole[:size]) is None for size in range(len(whole)))
    assert fingerprint(b"\x02" + whole[1:]) is None
    assert fingerprint(hello([0x1301], [extension(0x10) + b"x"])) is None
    assert fingerprint(hello([0x1301], [octets(0x10, 9)])) is None


def test_what_follows_the_message_changes_nothing():
    assert fingerprint(chrome() + b"more") == fingerprint(chrome())


@given(st.data())
def test_wrong_bytes_give_a_fingerprint_or_none(data):
    changed = bytearray(data.draw(st.sampled_from([chrome(), openssl_hello("a.example")[5:]])))
    places = st.integers(0, len(changed) - 1)
    for at, octet in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        changed[at] = octet
    found = fingerprint(bytes(changed))
    assert found is None or len(found.ja4) == len("t13d1516h2_8daaf6152771_e5627efa2ab1")
