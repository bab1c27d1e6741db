"""What the command line does with places: where the phone was, and how a country is graded."""

import json
import sys
from pathlib import Path

import pytest

from tests.small_captures import gzipped, household, pcap, put

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "geo" / "data"
sys.path.insert(0, str(ROOT / "tests" / "geo"))

from tests.geo.serving import serving, whole  # noqa: E402 - the tests are no package


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Each test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "walk.pcap", pcap(household()))


def analysis(tmp_path):
    return json.loads((tmp_path / "walk.phonehome" / "analysis.json").read_bytes())


def test_the_place_of_the_phone_is_a_setting_and_a_note(call, tmp_path):
    options = ("--phone-location", "Toronto, CA", "--quiet", "--format", "json")
    assert call("analyze", "walk.pcap", *options)[0] == 0
    whole = analysis(tmp_path)
    assert any("The phone was in Toronto, CA" in note for note in whole["notes"])
    assert any("GeoNames" in note for note in whole["notes"])
    manifest = json.loads((tmp_path / "walk.phonehome" / "manifest.json").read_bytes())
    assert manifest["settings"]["phone_location"] == "Toronto, CA"


def test_without_a_place_nothing_is_said_of_one(call, tmp_path):
    assert call("analyze", "walk.pcap", "--quiet", "--format", "json")[0] == 0
    assert not any("The phone was in" in note for note in analysis(tmp_path)["notes"])


@pytest.mark.parametrize("place", ["London", "Nowhere", "91,0", ""])
def test_a_place_that_is_none_or_several_is_exit_2_and_nothing_is_written(call, tmp_path, place):
    code, out, told = call("analyze", "walk.pcap", "--phone-location", place)
    assert (code, out) == (2, "")
    assert told.count("\n") == 1
    assert told.startswith(f"phonehome: phone location: '{place}'")
    assert {path.name for path in tmp_path.iterdir()} == {"walk.pcap"}


@pytest.fixture
def home(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder / "phonehome" / "geo"


@pytest.fixture
def web():
    with serving() as running:
        yield running


def test_update_puts_what_a_mirror_has_in_use(call, home, web, tmp_path):
    shipped = (SHIPPED / "dbip-country.mmdb").read_bytes()
    web.answers["/mine"] = whole(gzipped(shipped))
    code, out, told = call("geo", "update", "mine", "--url", f"{web.base}/mine")
    assert (code, out) == (0, "")
    assert told.startswith("fetched: mine (country), data of 2026-06-01, SHA-256 ")
    assert (home / "mine.mmdb").read_bytes() == shipped
    assert call("geo", "update", "mine", "--url", f"{web.base}/mine")[2].startswith("unchanged: ")
    _, out, _ = call("geo", "status", "--json")
    assert [row["name"] for row in json.loads(out)][:2] == ["mine", "dbip-country"]
    assert call("analyze", "walk.pcap", "--quiet", "--format", "json")[0] == 0
    rows = analysis(tmp_path)["databases"]
    assert (rows[0]["name"], rows[0]["file"]) == ("mine", "mine.mmdb")


def test_update_tells_of_each_that_failed_and_ends_with_4(call, home, web):
    code, out, told = call("geo", "update", "--base-url", web.base)
    assert (code, out) == (4, "")
    lines = told.splitlines()
    assert [line.split(": ")[2] for line in lines] == ["dbip-country", "dbip-asn"]
    assert not list(home.glob("*.mmdb"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody",),
        ("--url", "https://a.example/"),
        ("a", "b", "--url", "https://a.example/"),
        ("a", "--url", "https://a.example/", "--base-url", "https://b.example"),
        ("dbip-asn", "--sha256", "0" * 64),
    ],
)
def test_update_asked_wrongly_is_exit_2(call, home, arguments):
    code, out, _ = call("geo", "update", *arguments)
    assert (code, out) == (2, "")
    assert not home.exists()


def test_a_key_shows_nowhere(call, home, web, monkeypatch):
    monkeypatch.setenv("IPINFO_TOKEN", "secret-of-mine")
    code, out, told = call("geo", "update", "ipinfo-lite", "--base-url", web.base)
    assert code == 4
    assert web.asked == ["/data/ipinfo_lite.mmdb?token=secret-of-mine"]
    assert "secret-of-mine" not in out + told
    assert not list(home.glob("*"))


def test_nothing_but_update_loads_what_can_fetch(run, tmp_path):
    script = tmp_path / "sitecustomize.py"
    script.write_text(
        "import atexit, os, sys\n"
        "end = os._exit\n"
        "def leave(code):\n"
        "    fetching = {'phonehome.geo.fetching', 'phonehome.geo.updates'} & set(sys.modules)\n"
        "    end(77 if fetching else code)\n"
        "os._exit = leave\n"
        "atexit.register(lambda: leave(0))\n"
    )
    for command in (
        ("analyze", "walk.pcap", "--force"),
        ("geo", "status"),
        ("geo", "lookup", "::1"),
    ):
        done = run(*command, cwd=tmp_path, environment={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
        assert done.returncode == 0, command
    done = run(
        "geo", "update", "nobody", cwd=tmp_path, environment={"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )
    assert done.returncode == 77


def test_lookup_explains_an_address_in_full(call):
    code, out, _ = call("geo", "lookup", "203.205.254.157", "--phone-location", "Toronto, CA")
    assert code == 0
    assert "In Hong Kong, on AS132203 of Tencent (CN, cloud)." in out
    assert "Disputed: databases name HK, CN." in out
    assert "HK is at least 12,4" in out
    assert "from Toronto, CA: a round trip below 124" in out
    _, out, _ = call("geo", "lookup", "8.8.8.8", "--phone-location", "US")
    assert "US is too near to United States for any round trip to exclude it." in out
    assert call("geo", "lookup", "::1", "--phone-location", "Nowhere")[0] == 2


def test_lookup_says_where_an_address_is_announced_from_many_places(call):
    _, out, _ = call("geo", "lookup", "1.1.1.1", "192.168.0.1")
    assert "Anycast: announced from many places at once." in out
    assert "of Cloudflare (US, cdn)." in out
    assert "192.168.0.1  (private)" in out
    assert "network that nobody names" not in out


def test_the_report_and_the_table_name_the_company_behind_a_network(call, tmp_path):
    assert call("analyze", "walk.pcap", "--quiet")[0] == 0
    places = {row["address"]: row for row in analysis(tmp_path)["places"]}
    held = [row for row in places.values() if row["holder"] is not None]
    assert held
    page = (tmp_path / "walk.phonehome" / "report.html").read_text(encoding="utf-8")
    for row in held:
        assert f"held by {row['holder']} ({row['holder_country']}, {row['holder_kind']})" in page
