from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks import payloads

NOISE = bytes(range(112))


def test_the_initial_keys_are_those_of_rfc_9001_appendix_a_1():
    key, iv, protection = payloads._initial_keys(bytes.fromhex("8394c8f03e515708"))
    assert key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert iv.hex() == "fa044b2f42a3fd3b46fb255c"
    assert protection.hex() == "9f50449e04a0e810283a1e9933adedd2"


def test_a_quic_initial_opens_with_its_keys_and_names_its_host():
    packet = payloads.quic_initial("api.example.com", NOISE)
    key, iv, protection = payloads._initial_keys(NOISE[-16:-8])
    number_at = 5 + 9 + 9 + 1 + 2
    cipher = Cipher(algorithms.AES(protection), modes.ECB())  # noqa: S305, as RFC 9001 asks
    mask = cipher.encryptor().update(packet[number_at + 4 : number_at + 20])
    head = bytearray(packet[: number_at + 1])
    head[0] ^= mask[0] & 0x0F
    head[number_at] ^= mask[1]
    plain = AESGCM(key).decrypt(iv, packet[number_at + 1 :], bytes(head))
    assert len(packet) == 1_200
    assert head[number_at] == 0
    assert int.from_bytes(head[number_at - 2 : number_at], "big") == 0x4000 | 1_200 - number_at
    assert plain.startswith(b"\x06\x00")
    assert b"api.example.com" in plain


def test_a_dns_answer_lists_its_alias_before_its_address():
    address = bytes([8, 8, 4, 4])
    plain = payloads.dns_response("a.example", 5, [address], None)
    aliased = payloads.dns_response("a.example", 5, [address], "b.example")
    assert plain[:12].hex() == "000581800001000100000000"
    assert aliased[:12].hex() == "000581800001000200000000"
    assert aliased.index(b"\x01b\x07example") < aliased.index(address)


def test_a_server_flight_with_certificates_counts_its_own_bytes():
    flight = payloads.server_hello_with_certificate(NOISE, [b"leaf", b"issuer"])
    assert int.from_bytes(flight[3:5], "big") == len(flight) - 5
    assert b"\x00\x00\x10\x00\x00\x04leaf\x00\x00\x06issuer" in flight


def test_an_encrypted_flight_has_three_whole_records():
    flight, kinds = payloads.server_hello(NOISE, encrypted_bytes=700), []
    while flight:
        kinds.append(flight[0])
        flight = flight[5 + int.from_bytes(flight[3:5], "big") :]
    assert kinds == [22, 20, 23]
