"""What is opened, held to pyshark: another reader of what tshark says, with its own way to ask."""

import asyncio
import shutil
import warnings

import pytest

from phonehome.captures.decryption.keylogs import read_keylogs
from phonehome.captures.decryption.session import Opening
from phonehome.captures.limits import Limits
from tests.captures.decryption.recording import Tls, answered, post
from tests.small_captures import pcap, put

pyshark = pytest.importorskip("pyshark")
pytestmark = [
    pytest.mark.tshark,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def bodies_by_pyshark(capture, keylog):
    """Bodies of text over TLS, as pyshark gives them, in an event loop of its own."""
    loop = asyncio.new_event_loop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = pyshark.FileCapture(
            str(capture),
            use_ek=True,
            include_raw=False,
            display_filter="http.request",
            override_prefs={"tls.keylog_file": str(keylog)},
            eventloop=loop,
        )
        try:
            return [str(one.http.file_data).encode() for one in reader]
        finally:
            reader.close()
            loop.close()


def test_bodies_are_those_that_pyshark_finds(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tls = Tls(tmp_path, alpn=["http/1.1"])
    bodies = [b"first", b"second body", b"a longer one; " * 300]
    for body in bodies:
        tls.say(post("/a", body), is_up=True)
        tls.say(answered(b"ok"), is_up=False)
    tls.close()
    capture = put(tmp_path / "a.pcap", pcap(tls.line.frames))
    pieces = Opening(capture, read_keylogs([tmp_path / "keys.log"]), Limits()).pieces()
    ours = [one.octets for one in pieces if one.what == "http request body"]
    assert ours == bodies
    assert bodies_by_pyshark(capture, tmp_path / "keys.log") == bodies
