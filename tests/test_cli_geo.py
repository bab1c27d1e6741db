"""What the command line does with places: where the phone was, and how a country is graded."""

import json

import pytest
from small_captures import household, pcap, put


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
