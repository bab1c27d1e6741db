import http.client
import io
import socket
import ssl
import threading
import time

import pytest

from phonehome.geo.errors import UpdateError
from phonehome.geo.fetching import MOST_REDIRECTS, Bounds, fetch, server
from tests.geo.serving import certificate, elsewhere, serving, unlengthed, whole

SMALL = Bounds(packed=1000, unpacked=1000, seconds=20)


@pytest.fixture
def web():
    with serving() as running:
        yield running


def got(url, bounds=SMALL):
    out = io.BytesIO()
    assert fetch(url, out, bounds)
    return out.getvalue()


def refusal(url, bounds=SMALL):
    with pytest.raises(UpdateError) as caught:
        fetch(url, io.BytesIO(), bounds)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400
    return message


def test_a_file_is_written_as_it_is_served(web):
    web.answers["/a"] = whole(b"abc")
    web.answers["/b"] = unlengthed(b"abc")
    web.answers["/c"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )
    assert [got(f"{web.base}/{path}") for path in "abc"] == [b"abc"] * 3


def test_the_query_is_asked_whole(web):
    web.answers["/a"] = whole(b"")
    assert got(f"{web.base}/a?key=1&b=2") == b""
    assert web.asked == ["/a?key=1&b=2"]


def test_what_is_not_there_is_no_error_and_writes_nothing(web):
    web.answers["/gone"] = whole(b"page", "410 Gone")
    for path in ("none", "gone"):
        out = io.BytesIO()
        assert fetch(f"{web.base}/{path}", out, SMALL) is False
        assert out.getvalue() == b""


@pytest.mark.parametrize("status", ["401 No", "403 No", "429 Later", "500 Oh", "204 None", "206 A"])
def test_any_other_status_is_refused_by_its_number(web, status):
    web.answers["/a"] = whole(b"secret words", status)
    assert refusal(f"{web.base}/a?key=k") == (
        f"{web.base.rpartition(':')[0]}: expected a file, got status {status[:3]}"
    )


def test_redirects_are_followed_a_few_times(web):
    web.answers["/a"] = elsewhere("b?x=1")
    web.answers["/b"] = elsewhere(f"{web.base}/c")
    web.answers["/c"] = whole(b"here")
    assert got(f"{web.base}/a") == b"here"
    web.answers["/loop"] = elsewhere("/loop")
    assert f"{MOST_REDIRECTS} redirects and more" in refusal(f"{web.base}/loop")
    assert web.asked.count("/loop") == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a",
        "http://192.0.2.1/a",
        "http://example.org/a",
        "http://127.0.0.1.example.org/a",
        "http://localhost.example.org/a",
        "//example.org/a",
        "data:,abc",
        "javascript:1",
        "gopher://127.0.0.1/",
        "",
        "/a",
        "https:///a",
    ],
)
def test_other_schemes_and_open_servers_are_refused_before_they_are_asked(web, url, monkeypatch):
    if not url.startswith("/"):
        web.answers["/a"] = elsewhere(url)
        if url:
            assert "expected an https address, got another" in refusal(f"{web.base}/a")
    monkeypatch.setattr(socket, "create_connection", None)
    assert "expected an https address, got another" in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://a:b@127.0.0.1/",
        "https://key@127.0.0.1/",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/\r\nX: y",
        "https://127.0.0.1/ä",
        "https://127.0.0.1:99999/",
        "https://127.0.0.1:x/",
        "https://[::1/",
        "https://127.0.0.1/" + "a" * 5000,
    ],
)
def test_addresses_that_could_say_more_than_one_thing_are_refused(url, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", None)
    refusal(url)


def test_http_is_refused_once_it_was_https():
    from phonehome.geo.fetching import _allowed  # noqa: PLC0415 - no server here has a certificate

    assert _allowed("http://127.0.0.1/a", is_https_before=False)
    with pytest.raises(UpdateError):
        _allowed("http://127.0.0.1/a", is_https_before=True)
    assert _allowed("https://example.org/a", is_https_before=True)


def with_tls(folder, host="127.0.0.1"):
    path = certificate(folder, host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


def test_https_is_spoken_with_whom_the_system_trusts(tmp_path, monkeypatch):
    path, context = with_tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(context) as web:
        web.answers["/a"] = elsewhere("/b")
        web.answers["/b"] = whole(b"abc")
        assert got(f"{web.base}/a") == b"abc"
        web.answers["/c"] = elsewhere(web.base.replace("https", "http"))
        assert "expected an https address, got another" in refusal(f"{web.base}/c")
        web.answers["/d"] = unlengthed(b"abc")  # no goodbye of TLS: it may have been cut
        assert "a broken TLS connection" in refusal(f"{web.base}/d")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_a_certificate_of_a_stranger_or_of_another_host_is_refused(tmp_path, monkeypatch, host):
    path, context = with_tls(tmp_path, host)
    if host != "127.0.0.1":
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(context) as web:
        message = refusal(f"{web.base}/a?key=secret")
        assert message.startswith("https://127.0.0.1: expected a whole file, got a certificate ")
        assert "secret" not in message
        assert web.asked == []


def test_a_file_larger_than_its_bound_is_refused_whether_told_or_not(web):
    web.answers["/told"] = whole(b"", length=1001)
    assert "at most 1000 bytes, got 1001 announced" in refusal(f"{web.base}/told")
    web.answers["/more"] = unlengthed(b"x" * 1001)
    assert "at most 1000 bytes, got more" in refusal(f"{web.base}/more")
    web.answers["/just"] = unlengthed(b"x" * 1000)
    assert len(got(f"{web.base}/just")) == 1000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfour",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfour",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 key-of-mine\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://[\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_or_none_is_refused(web, answer):
    web.answers["/a"] = answer
    message = refusal(f"{web.base}/a?key=key-of-mine")
    assert "key-of-mine" not in message


def slow(part):
    def drip(connected):
        for _ in range(200):
            connected.sendall(part)
            time.sleep(0.05)

    return drip


@pytest.mark.parametrize(
    "answer",
    [
        slow(b"H"),
        lambda connected: (connected.sendall(b"HTTP/1.1 200 OK\r\n"), slow(b"X: y\r\n")(connected)),
        lambda connected: (connected.sendall(unlengthed(b"")), slow(b"x")(connected)),
        lambda _: time.sleep(10),
    ],
    ids=["status", "headers", "body", "silence"],
)
def test_whoever_answers_too_slowly_is_left_in_time(web, answer):
    web.answers["/a"] = answer
    begun = time.monotonic()
    message = refusal(f"{web.base}/a", SMALL._replace(seconds=0.5))
    assert "no end after 0.5 s" in message or "silence" in message
    assert time.monotonic() - begun < 5


def test_a_handshake_that_never_ends_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            connected, _ = listening.accept()
            with connected:
                connected.recv(10_000)
                connected.sendall(b"\x16\x03\x03\x40\x00")
                for _ in range(100):
                    try:
                        connected.sendall(b"\x02")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        begun = time.monotonic()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        assert "no end after 0.5 s" in refusal(url, SMALL._replace(seconds=0.5))
        assert time.monotonic() - begun < 4
        thread.join()


def test_nobody_at_the_door_is_told_in_the_words_of_the_system():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert "Connection refused" in refusal(f"http://127.0.0.1:{port}/a?key=secret")


def test_a_server_is_named_without_what_follows_it():
    assert server("https://a.example:8443/x?key=1") == "https://a.example"
    assert server("https://[") == "the address"


def test_proxies_of_the_environment_are_not_asked(web, monkeypatch):
    web.answers["/a"] = whole(b"abc")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:1")
    assert got(f"{web.base}/a") == b"abc"
    assert http.client.HTTPConnection.default_port == 80
