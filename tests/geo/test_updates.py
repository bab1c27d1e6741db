import hashlib
import json
import random
import threading
import traceback
from datetime import date
from functools import cache

import pytest
from test_unpacking import tar_of

from phonehome.geo import updates
from phonehome.geo.databases import open_database
from phonehome.geo.errors import UpdateError
from phonehome.geo.fetching import Bounds
from phonehome.geo.updates import SOURCES, update, update_from
from tests.geo.serving import elsewhere, serving, unlengthed, whole
from tests.small_captures import gzipped

TODAY = date(2026, 3, 1)
KEY = "a-Key_of.mine0"
SMALL = Bounds(packed=2_000_000, unpacked=4_000_000, seconds=20)
THIS, BEFORE = "/free/dbip-country-lite-2026-03.mmdb.gz", "/free/dbip-country-lite-2026-02.mmdb.gz"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "phonehome" / "geo"


@pytest.fixture
def web():
    with serving() as running:
        yield running


@pytest.fixture
def database(write):
    """The bytes of a small database with this country; the same each time."""

    @cache
    def made(code="SG"):
        return write({"8.8.8.0/24": {"country": {"iso_code": code}}}).read_bytes()

    return made


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("MAXMIND_LICENSE_KEY", KEY)
    monkeypatch.setenv("IPINFO_TOKEN", KEY)


def names(home):
    return sorted(path.name for path in home.iterdir()) if home.exists() else []


def refusal(name, web, **other):
    with pytest.raises(UpdateError) as caught:
        update(name, today=TODAY, base=web.base, bounds=SMALL, **other)
    message = str(caught.value)
    assert message.startswith(f"geo update: {name}: ")
    assert message.isprintable()
    whole_story = "".join(traceback.format_exception(caught.value))
    assert KEY not in whole_story
    return message


def test_the_file_of_this_month_is_put_in_place(home, web, database):
    web.answers[THIS] = whole(gzipped(database()))
    done = update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    assert web.asked == [THIS]
    assert done.path == home / "dbip-country.mmdb"
    assert done.path.read_bytes() == database()
    assert (done.kind, done.is_new) == ("country", True)
    assert done.sha256 == hashlib.sha256(database()).hexdigest()
    assert names(home) == ["dbip-country.mmdb"]
    assert done.path.stat().st_mode & 0o777 == 0o644


def test_before_it_is_out_the_one_of_last_month_is_taken(home, web, database):
    web.answers[BEFORE] = whole(gzipped(database()))
    update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    assert web.asked == [THIS, BEFORE]
    assert names(home) == ["dbip-country.mmdb"]


def test_where_neither_is_there_it_is_said(home, web):
    assert "expected a file, got none of that name" in refusal("dbip-country", web)
    assert names(home) == []


@pytest.mark.usefixtures("home")
def test_the_same_file_again_is_no_news(web, database):
    web.answers[THIS] = whole(gzipped(database()))
    assert update("dbip-country", today=TODAY, base=web.base, bounds=SMALL).is_new
    assert not update("dbip-country", today=TODAY, base=web.base, bounds=SMALL).is_new


def maxmind(web, body, sha256=None):
    told = sha256 or hashlib.sha256(body).hexdigest()

    def answer(connected):
        is_checksum = web.asked[-1].endswith("sha256")
        text = f"{told}  GeoLite2-Country_20260301.tar.gz\n".encode()
        connected.sendall(whole(text if is_checksum else body))

    web.answers["/app/geoip_download"] = answer


@pytest.mark.usefixtures("keys", "home")
def test_maxmind_gets_its_key_and_its_checksum_is_held(web, database):
    packed = gzipped(tar_of(("x/COPYRIGHT.txt", b"c"), ("x/GeoLite2-Country.mmdb", database())))
    maxmind(web, packed)
    done = update("geolite2-country", today=TODAY, base=web.base, bounds=SMALL)
    path = f"/app/geoip_download?edition_id=GeoLite2-Country&license_key={KEY}&suffix=tar.gz"
    assert web.asked == [path, f"{path}.sha256"]
    assert done.path.read_bytes() == database()
    maxmind(web, gzipped(tar_of(("a.mmdb", database("CN")))), "0" * 64)
    assert f"expected SHA-256 {'0' * 64}" in refusal("geolite2-country", web)
    assert done.path.read_bytes() == database()


@pytest.mark.usefixtures("keys")
def test_ipinfo_gets_its_token_and_its_checksum_is_held_where_there_is_one(home, web, database):
    web.answers["/data/ipinfo_lite.mmdb"] = whole(database())
    update("ipinfo-lite", today=TODAY, base=web.base, bounds=SMALL)
    assert web.asked[0] == f"/data/ipinfo_lite.mmdb?token={KEY}"
    sums = {"checksums": {"md5": "0" * 32, "sha1": "1" * 40, "sha256": "2" * 64}}
    web.answers["/data/ipinfo_lite.mmdb/checksums"] = whole(json.dumps(sums).encode())
    assert f"expected SHA-256 {'2' * 64}" in refusal("ipinfo-lite", web)
    sums["checksums"]["sha256"] = hashlib.sha256(database()).hexdigest()
    web.answers["/data/ipinfo_lite.mmdb/checksums"] = whole(json.dumps(sums).encode())
    assert update("ipinfo-lite", today=TODAY, base=web.base, bounds=SMALL).kind == "country"
    web.answers["/data/ipinfo_lite.mmdb/checksums"] = whole(b"<html>")
    assert "expected a SHA-256, got none" in refusal("ipinfo-lite", web)
    assert names(home) == ["ipinfo-lite.mmdb"]


def test_each_source_is_asked_over_https_at_its_maker():
    for source in SOURCES.values():
        assert source.base.startswith("https://")
        assert source.path.startswith("/")


@pytest.mark.parametrize("key", ["", "a b", "a&b=c", "a\r\nX: y", "ä", "{key}", "k" * 201])
def test_a_key_that_is_none_is_refused_before_anybody_is_asked(web, monkeypatch, key):
    monkeypatch.setenv("IPINFO_TOKEN", key)
    message = refusal("ipinfo-lite", web)
    assert "expected a key in IPINFO_TOKEN" in message
    assert not key or key not in message
    assert web.asked == []


@pytest.mark.usefixtures("keys", "home")
@pytest.mark.parametrize(
    "answer",
    [
        whole(b"", f"403 {KEY}"),
        f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
        f"{KEY}\r\n\r\n".encode(),
        whole(KEY.encode()),
        gzipped(KEY.encode()),
        elsewhere(f"http://example.org/{KEY}"),
        elsewhere(f"https://{KEY}@example.org/"),
        elsewhere(f"https://{KEY} /"),
        elsewhere(f"ftp://{KEY}/"),
        whole(b"", "200 OK", f"Transfer-Encoding: {KEY}"),
        b"",
    ],
)
def test_no_message_and_no_traceback_has_the_key(web, answer):
    web.answers["/data/ipinfo_lite.mmdb"] = answer
    refusal("ipinfo-lite", web)


@pytest.mark.usefixtures("keys", "home")
def test_a_database_that_holds_the_key_does_not_bring_it_into_a_message(web, write):
    path = write({"8.8.8.0/24": {KEY: 1}}, database_type=KEY)
    web.answers["/data/ipinfo_lite.mmdb"] = whole(path.read_bytes())
    assert "got fields … in type '…'" in refusal("ipinfo-lite", web)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "without the metadata"),
        (b"<html>Too many requests</html>", "without the metadata"),
        (bytes(100_000), "without the metadata"),
        (gzipped(bytes(5_000_000)), "at most 4000000 bytes unpacked"),
        (gzipped(tar_of(("README", b"no"))), "got one without"),
        (bytes(2_000_001), "at most 2000000 bytes"),
    ],
)
def test_a_hostile_file_leaves_the_old_one_in_place(home, web, database, body, told):
    web.answers[THIS] = whole(gzipped(database()))
    update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    web.answers[THIS] = whole(body)
    assert told in refusal("dbip-country", web)
    assert (home / "dbip-country.mmdb").read_bytes() == database()
    assert names(home) == ["dbip-country.mmdb"]


def test_a_database_that_says_nothing_of_places_is_refused(home, web, write):
    path = write({"8.8.8.0/24": {"is_tor_exit_node": True}})
    web.answers[THIS] = whole(path.read_bytes())
    assert "got fields is_tor_exit_node" in refusal("dbip-country", web)
    assert names(home) == []


def test_downloads_that_are_cut_anywhere_leave_the_old_one_in_place(home, web, database):
    web.answers[THIS] = whole(gzipped(database()))
    update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    new = gzipped(database("CN"))
    dice = random.Random(3)  # noqa: S311 - a test need not be secret
    for turn in range(200):
        cut = dice.randrange(len(new))
        web.answers[THIS] = whole(new[:cut], length=len(new)) if turn % 2 else unlengthed(new[:cut])
        refusal("dbip-country", web)
        assert (home / "dbip-country.mmdb").read_bytes() == database()
    assert names(home) == ["dbip-country.mmdb"]


@pytest.mark.parametrize("place", ["fetch", "unpack", "open_database", "_replace"])
def test_whoever_stops_it_finds_the_old_one_and_nothing_else(
    home, web, database, monkeypatch, place
):
    web.answers[THIS] = whole(gzipped(database()))
    update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(updates, place, stopped)
    web.answers[THIS] = whole(gzipped(database("CN")))
    with pytest.raises(KeyboardInterrupt):
        update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    assert (home / "dbip-country.mmdb").read_bytes() == database()
    assert names(home) == ["dbip-country.mmdb"]


def test_a_reader_meets_the_old_one_or_the_new_one_and_nothing_between(home, web, database):
    both = [database("SG"), database("CN")]
    web.answers[THIS] = whole(both[0])
    update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    met, is_done = [], threading.Event()

    def read():
        while not is_done.is_set():
            met.append((home / "dbip-country.mmdb").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(1, 30):
        web.answers[THIS] = whole(both[turn % 2])
        update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    is_done.set()
    reader.join()
    assert met
    assert all(content in both for content in met)


def test_what_was_left_by_a_run_that_was_killed_goes_after_a_day(home, web, database):
    import os  # noqa: PLC0415 - for its times alone

    for name, days in ((".new-old", 2), (".new-young", 0)):
        (home / name).mkdir(parents=True)
        then = (home / name).stat().st_mtime - days * 86_400
        os.utime(home / name, (then, then))
    web.answers[THIS] = whole(database())
    update("dbip-country", today=TODAY, base=web.base, bounds=SMALL)
    assert names(home) == [".new-young", "dbip-country.mmdb"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, web, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert "expected to write there, got Not a directory" in refusal("dbip-country", web)
    assert web.asked == []


def test_any_address_will_do_under_a_name(home, web, database):
    web.answers["/mine"] = whole(gzipped(database()))
    done = update_from(f"{web.base}/mine?a=b", "mine-2", bounds=SMALL)
    assert done.path == home / "mine-2.mmdb"
    assert open_database(done.path, name="mine").kinds == ("country",)
    right = hashlib.sha256(gzipped(database())).hexdigest()
    assert update_from(f"{web.base}/mine", "mine", sha256=right.upper(), bounds=SMALL).is_new
    with pytest.raises(UpdateError, match="expected SHA-256 0000"):
        update_from(f"{web.base}/mine", "mine", sha256="0" * 64, bounds=SMALL)
    with pytest.raises(UpdateError, match="expected a SHA-256 of 64 digits"):
        update_from(f"{web.base}/mine", "mine", sha256="no", bounds=SMALL)


@pytest.mark.parametrize("name", ["", "../a", "/a", "A", ".a", "a/b", "a\0", "a" * 65, "a\n"])
def test_a_name_cannot_lead_out_of_the_folder(web, home, name):
    with pytest.raises(UpdateError, match="expected small letters"):
        update_from(f"{web.base}/mine", name, bounds=SMALL)
    assert web.asked == []
    assert names(home) == []


def test_an_address_with_a_secret_is_not_repeated(home, web):
    with pytest.raises(UpdateError) as caught:
        update_from(f"{web.base}/path-secret?token=query-secret", "mine", bounds=SMALL)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert names(home) == []
