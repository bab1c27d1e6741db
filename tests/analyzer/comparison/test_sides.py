import shutil
from pathlib import Path

import pytest

from phonehome.analyzer.comparison.sides import observe, timeline_beside
from phonehome.analyzer.settings import Settings
from phonehome.captures.errors import CaptureError
from tests.small_captures import PHONE, household, pcap, put

SAMPLES = Path(__file__).parents[3] / "captures" / "samples"
OLD, NEW = SAMPLES / "parrot-1.0", SAMPLES / "parrot-2.0"


@pytest.mark.parametrize("name", ["rep1.pcap", "rep1.pcapng", "rep1.pcap.gz", "rep1.cap.zst"])
def test_the_timeline_beside_a_capture_has_its_name(tmp_path, name):
    assert timeline_beside(tmp_path / name) is None
    timeline = tmp_path / "rep1.timeline.csv"
    timeline.touch()
    assert timeline_beside(tmp_path / name) == timeline


@pytest.mark.parametrize("name", ["rep1.csv", "rep1.timeline.txt", "rep.timeline.csv", "rep1"])
def test_no_other_name_is_that_of_a_timeline(tmp_path, name):
    (tmp_path / name).touch()
    assert timeline_beside(tmp_path / "rep1.pcap") is None


def test_standard_input_has_no_timeline_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-.timeline.csv").touch()
    assert timeline_beside(Path("-")) is None


def test_each_capture_is_a_repetition_with_the_timeline_beside_it():
    side = observe("base", [OLD], Settings())
    assert side.repetitions["name"].to_list() == ["rep1.pcap", "rep2.pcap", "rep3.pcap"]
    assert set(side.repetitions["timeline_source"]) == {"beside"}
    assert side.repetitions["timelines"].to_list() == [
        [f"rep{number}.timeline.csv"] for number in (1, 2, 3)
    ]
    assert side.label == "parrot-1.0"


def test_a_given_timeline_stands_in_the_place_of_that_beside():
    given = OLD / "rep2.timeline.csv"
    side = observe("base", [OLD / "rep1.pcap"], Settings(timelines=(given,)))
    (row,) = side.repetitions.to_dicts()
    assert (row["timeline_source"], row["timelines"]) == ("given", [given.name])
    seconds = side.exposures.filter(side.exposures["state"] == "idle")["exposure"].item()
    assert seconds.total_seconds() == 0


def test_captures_of_one_name_in_two_folders_keep_their_folders():
    side = observe("new", [OLD / "rep1.pcap", NEW / "rep1.pcapng", OLD / "rep1.pcap"], Settings())
    assert side.repetitions["name"].to_list() == ["rep1.pcap", "rep1.pcapng"]
    assert side.captures["capture"].to_list() == ["rep1.pcap", "rep1.pcapng"]


def test_a_pattern_stands_for_its_captures():
    side = observe("new", [str(NEW / "*.pcapng")], Settings())
    assert side.repetitions["name"].to_list() == ["rep1.pcapng", "rep2.pcapng"]


def test_progress_runs_from_nothing_to_the_sum_of_all_files(tmp_path):
    files = [shutil.copy(OLD / f"rep{number}.pcap", tmp_path) for number in (1, 2)]
    whole = sum(Path(file).stat().st_size for file in files)
    seen = []
    observe("base", files, Settings(), progress=lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {whole}
    done = [done for done, _ in seen]
    assert done == sorted(done)
    assert done[-1] == whole


def test_a_side_without_a_phone_is_refused_and_says_how_to_name_it(tmp_path):
    path = put(tmp_path / "a.pcap", pcap(household()))
    assert observe("base", [path], Settings(phones=(PHONE,))).repetitions.height == 1
    with pytest.raises(CaptureError, match=r"a\.pcap: no address behaves like .* --phone"):
        observe("base", [path], Settings(phones=("203.0.113.9",)))


def test_what_a_run_could_not_do_is_said_once_with_the_side(tmp_path):
    files = [put(tmp_path / f"{name}.pcap", pcap(household())) for name in "ab"]
    side = observe("base", files, Settings())
    assert len(side.notes) == len(set(side.notes)) > 0
    assert all(note.startswith("base") for note in side.notes)


def test_a_missing_timeline_is_said_with_the_option_that_gives_it(tmp_path):
    path = put(tmp_path / "a.pcap", pcap(household()))
    assert "--new-timeline FILE" in " ".join(observe("new", [path], Settings()).notes)
