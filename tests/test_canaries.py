"""Secrets planted in traffic and in the user's own list reach no output by default."""

import hashlib
import json
import stat

import polars as pl
import pytest

from tests.small_captures import (
    PHONE,
    REMOTE,
    ROUTER,
    client_hello,
    connection,
    dns_question,
    ethernet,
    pcap,
    put,
    udp,
)

KNOWN = {
    "account": "2654017{:03}",
    "email": "canary{:03}@parrot.example",
    "imei": "49015420323{:04}",
    "android_id": "9774d56d682e{:04x}",
    "ssid": "Canary Nest {:03}",
    "contact": "Canary Person {:03}",
    "serial": "CANARY{:03}ZK",
    "text": "planted canary {:03}",
}
EACH = 20
CANARIES = [(kind, form.format(number)) for kind, form in KNOWN.items() for number in range(EACH)]
TOKENS = [hashlib.sha256(b"token %d" % number).hexdigest()[:32] for number in range(40)]
"""Secrets that nobody listed: in cookies, headers that authorise, parameters, paths."""


def request(value, token):
    body = json.dumps({"v": value, "session": token}).encode()
    lines = [
        f"POST /{token}/t?value={value.replace(' ', '+')}&token={token}&lat=43.651070 HTTP/1.1",
        f"Host: {value}.t.example" if value.isalnum() else "Host: t.example",
        f"User-Agent: App/1 ({value})",
        f"Cookie: sid={token}; uid={value}",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A capture with all canaries, the list of those that are known, and a name for results."""
    folder = tmp_path_factory.mktemp("canaries")
    packets = []
    for number, (_, value) in enumerate(CANARIES):
        token = TOKENS[number % len(TOKENS)]
        local = (PHONE, 40_000 + number)
        packets += connection(local, (REMOTE, 80), [("up", request(value, token))])
        packets.append(udp((PHONE, 30_000 + number), (REMOTE, 9_000), value.encode()))
    packets.append(udp((PHONE, 20_000), (ROUTER, 53), dns_question("490154203230001.t.example")))
    sent = [("up", client_hello("490154203230002.t.example"))]
    packets += connection((PHONE, 20_001), (REMOTE, 443), sent)
    capture = put(folder / "x.pcap", pcap([ethernet(one) for one in packets]))
    entries = [
        f'[[identifier]]\nkind = "{kind}"\nlabel = "number {number}"\nvalue = "{value}"'
        for number, (kind, value) in enumerate(CANARIES)
    ]
    known = folder / "known.toml"
    known.write_text('digest_key = "0123456789abcdef"\n' + "\n".join(entries), encoding="utf-8")
    return capture, known, folder / "out"


def test_two_hundred_canaries_reach_no_output(places, run):
    capture, known, out = places
    arguments = ("--phone", PHONE, "--identifiers", known, "--format", "html,md,json,csv,parquet")
    done = run("analyze", capture, *arguments, "-o", out, "--json")
    assert done.returncode == 0, done.stderr
    files = sorted(out.iterdir())
    written = [file.read_bytes() for file in files if file.suffix != ".parquet"]
    written += [
        pl.read_parquet(file).write_json().encode() for file in files if file.suffix == ".parquet"
    ]
    texts = [*written, done.stdout, done.stderr]
    secrets = [value for _, value in CANARIES] + TOKENS
    assert len(secrets) == 200
    leaked = {
        secret
        for secret in secrets
        for text in texts
        if any(form.encode() in text for form in (secret, secret.upper(), secret.lower()))
    }
    assert leaked == set()


def test_each_canary_was_found_all_the_same(places):
    _, _, out = places
    found = pl.read_parquet(out / "identifiers.parquet")
    assert found["label"].n_unique() == len(CANARIES)
    assert set(found["layer"]) == {"http", "udp", "dns", "tls"}


def test_what_is_revealed_can_be_read_by_nobody_else(places, run):
    capture, known, _ = places
    out = known.parent / "revealed"
    done = run("analyze", capture, "--phone", PHONE, "--identifiers", known, "--reveal", "-o", out)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o600}
    values = pl.read_parquet(out / "identifiers.parquet")["value"]
    assert set(values) == {value for _, value in CANARIES}


def test_a_list_is_written_for_the_user_alone(tmp_path, run):
    path = tmp_path / "known.toml"
    assert run("identifiers", "init", path).returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run("identifiers", "init", path).returncode == 2
    saved = tmp_path / "getprop.txt"
    saved.write_text("[ro.serialno]: [CANARY001ZK]\n", encoding="utf-8")
    other = tmp_path / "other.toml"
    done = run("identifiers", "from-adb", saved, "-o", other)
    assert (done.returncode, b"CANARY001ZK" in done.stderr) == (0, False)
    assert "CANARY001ZK" in other.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["x", '[[identifier]]\nkind = "shoe"\nvalue = "CANARY"', "\0"])
def test_a_list_that_cannot_be_used_is_one_line_without_values(tmp_path, places, run, text):
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")
    done = run("analyze", places[0], "--identifiers", path, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"CANARY" not in done.stderr
