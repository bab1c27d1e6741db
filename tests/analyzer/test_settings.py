"""Settings take what users of the library write, and refuse in one line what they cannot be."""

from dataclasses import fields
from pathlib import Path

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Sent, Settings, SettingsError
from phonehome.errors import PhonehomeError
from tests.small_captures import household, pcap, put

FILES = ("timelines", "databases", "packages", "claims", "identifiers", "keylogs", "organisations")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("given", ["a.csv", Path("a.csv"), ["a.csv"], (Path("a.csv"),)])
def test_files_are_one_or_many_as_text_or_path(name, given):
    assert getattr(Settings(**{name: given}), name) == (Path("a.csv"),)


@pytest.mark.parametrize("given", ["192.0.2.1", ["192.0.2.1"], ("192.0.2.1",)])
def test_addresses_are_one_or_many(given):
    assert Settings(phones=given).phones == ("192.0.2.1",)


def test_addresses_are_spelled_in_one_way():
    assert Settings(phones="2001:DB8:0::1").phones == ("2001:db8::1",)


def test_nothing_given_is_an_empty_list():
    assert Settings(timelines=None).timelines == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"phones": "no address"}, "phones: an IP address expected"),
        ({"phones": 7}, "phones: one or a list expected, 7 found"),
        ({"timelines": 7}, "timelines: one or a list expected, 7 found"),
        ({"timelines": [7]}, "timelines: a path expected, 7 found"),
        ({"timelines": b"a.csv"}, "timelines: one or a list expected, b'a.csv' found"),
        ({"idle_means": "asleep"}, "idle_means: one of screen-off, background, both expected"),
        ({"language": "tlh"}, "language: one of en, de expected, 'tlh' found"),
        ({"counters": "before.txt"}, "counters: two files, before and after expected"),
        ({"clock_offset": "soon"}, "clock_offset: auto, or seconds within a year expected"),
        ({"clock_offset": float("nan")}, "clock_offset: auto, or seconds within a year expected"),
        ({"clock_offset": 1e9}, "clock_offset: auto, or seconds within a year expected"),
        ({"infer_phases": "yes"}, "infer_phases: True or False expected, 'yes' found"),
        ({"app": 7}, "app: text expected, 7 found"),
        ({"app": "a\udcff"}, "app: text in UTF-8 expected"),
        ({"sent": ["photo.jpg"]}, "sent: Sent expected, 'photo.jpg' found"),
        ({"limits": 7}, "limits: Limits expected, 7 found"),
    ],
)
def test_what_a_setting_cannot_be_is_refused_in_one_line(given, said):
    with pytest.raises(SettingsError) as refused:
        Settings(**given)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, PhonehomeError)
    assert refused.value.exit_code == 2


def test_auto_is_what_the_captures_say():
    assert Settings(clock_offset="auto").clock_offset is Settings(clock_offset=None).clock_offset


@pytest.mark.parametrize(
    ("text", "label", "size"), [("5,000", None, 5_000), ("photo=12", "photo", 12)]
)
def test_bytes_that_were_sent_may_have_a_label(text, label, size):
    assert Sent.of_bytes(text) == Sent(
        label=label, name=f"{text.rpartition('=')[2]} bytes", size=size
    )


def test_each_setting_but_the_limits_says_what_it_does():
    for each in fields(Settings):
        assert each.name == "limits" or each.metadata["help"].strip(), each.name


def test_one_path_is_one_capture_and_not_its_letters(tmp_path):
    path = put(tmp_path / "one.pcap", pcap(household()))
    for given in (str(path), path, [path]):
        assert analyze(given, Settings()).captures["capture"].to_list() == ["one.pcap"]
