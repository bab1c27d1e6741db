"""Captures of nothing but names hold as many as they should, and phonehome finds them all."""

import pytest

from benchmarks import names
from benchmarks.make_names import make_names
from phonehome.captures.names.reader import NameReader
from phonehome.captures.reading import Reading


@pytest.mark.parametrize(("what", "source"), [("quic", "quic_sni"), ("dns", "dns")])
def test_every_name_is_found(tmp_path, what, source):
    path = tmp_path / "names.pcap"
    make_names(path, what=what, count=120)
    reading = Reading(path)
    assert sum(batch.height for batch in reading.packets()) == 120
    sightings = reading.sightings(reading.conversations())
    assert sightings.height == 120
    assert set(sightings["source"]) == {source}
    assert sightings["name"].str.contains(r"^host\d+\.service\d+\.example$").all()


def test_the_same_count_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        make_names(tmp_path / name, what="dns", count=30)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_time_that_names_take_is_measured(tmp_path, monkeypatch, capsys):
    path = tmp_path / "names.pcap"
    make_names(path, what="dns", count=300)
    for step in names.STEPS:
        monkeypatch.setattr(NameReader, step, getattr(NameReader, step))
    monkeypatch.setattr("sys.argv", ["names", str(path)])
    names.main()
    assert 0 < float(capsys.readouterr().out) < 5
