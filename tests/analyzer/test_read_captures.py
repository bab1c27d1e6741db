"""Captures are read one by one; who the phone is, is decided once, over all of them."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from phonehome.analyzer import read_captures
from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures import read_capture
from phonehome.reports.exports.to_json import exported
from tests.small_captures import household, pcap, put

SAMPLES = Path(__file__).parents[2] / "captures" / "samples" / "parrot-1.0"


def tables(analysis):
    return {name: table.to_dicts() for name, table in exported(analysis).items()}


def test_who_the_phone_is_is_asked_once_over_all_captures(monkeypatch):
    asked = []
    decide = read_captures.phone_addresses

    def noted(captures, *rest):
        asked.append([name for name, _ in captures])
        return decide(captures, *rest)

    monkeypatch.setattr(read_captures, "phone_addresses", noted)
    analyze([SAMPLES], Settings())
    assert asked == [["rep1.pcap", "rep2.pcap", "rep3.pcap"]]


def test_captures_that_other_processes_read_give_the_same_analysis(monkeypatch):
    here = analyze([SAMPLES], Settings(infer_phases=True))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:

        def elsewhere(path, options, **_):
            return pool.submit(read_capture, path, options).result()

        monkeypatch.setattr(read_captures, "read_capture", elsewhere)
        there = analyze([SAMPLES], Settings(infer_phases=True))
    assert tables(there) == tables(here)
    assert there.notes == here.notes


@pytest.mark.parametrize("infers", [True, False])
def test_a_capture_is_read_again_only_where_it_knows_its_phases_better(monkeypatch, infers):
    read = []

    def noted(path, options, **other):
        read.append(path.name)
        return read_capture(path, options, **other)

    monkeypatch.setattr(read_captures, "read_capture", noted)
    analysis = analyze([SAMPLES / "rep1.pcap"], Settings(infer_phases=infers))
    assert read == ["rep1.pcap"] * (1 + infers)
    assert (analysis.phases["state"].unique().to_list() != ["unknown"]) is infers


def test_progress_counts_the_bytes_of_all_captures(tmp_path):
    paths = [put(tmp_path / f"{name}.pcap", pcap(household())) for name in "ab"]
    told = []
    analyze(paths, Settings(), progress=lambda *both: told.append(both))
    total = sum(path.stat().st_size for path in paths)
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
