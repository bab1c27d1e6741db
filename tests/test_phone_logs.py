"""Logs that a phone would have kept beside a sample say the same as the timeline beside it."""

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import IDLE_STATES, Settings

SAMPLE = Path(__file__).parents[1] / "captures" / "samples" / "parrot-1.0"
CAPTURE = SAMPLE / "rep1.pcap"
PARROT, HOME = "com.example.parrot", "com.vendor.home"
ZONE = "America/Toronto"


def changes():
    """When the sample's phone changed: time with zone, whether its screen is on, app in front."""
    with (SAMPLE / "rep1.timeline.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    fronts = {"active": PARROT, "background": HOME, "idle": None}
    for row in rows:
        yield datetime.fromisoformat(row["start"]), fronts[row["state"]]
    yield datetime.fromisoformat(rows[-1]["end"]), "end"


def logcat():
    yield "--------- beginning of events"
    for moment, front in changes():
        head = f"{moment:%m-%d %H:%M:%S}.000 +0000  1660  1700 I "
        if front == "end":
            yield f"{head}am_pss: [1,2,com.vendor.x]"
            continue
        yield f"{head}power_screen_state: [{int(front is not None)},0,0,0,0]"
        if front:
            yield f"{head}wm_set_resumed_activity: [0,{front}/.Main,resumeTopActivity]"


def usagestats():
    for moment, front in changes():
        head = f'    time="{moment.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}" type='
        if front == "end":
            yield f"{head}STANDBY_BUCKET_CHANGED package={HOME} flags=0x0"
            continue
        yield f"{head}SCREEN_{'' if front else 'NON_'}INTERACTIVE package=android flags=0x0"
        if front:
            yield f"{head}ACTIVITY_RESUMED package={front} class={front}.Main flags=0x0"


def batterystats():
    yield "9,0,i,vers,36,214,X,X"
    yield f'9,hsp,0,10147,"{PARROT}"'
    yield f'9,hsp,1,10020,"{HOME}"'
    last = None
    for moment, front in changes():
        if last is None:
            yield f"9,h,0:RESET:TIME:{int(moment.timestamp() * 1000)}"
        passed = 0 if last is None else int((moment - last).total_seconds() * 1000)
        last = moment
        said = {None: "-S", PARROT: "+S,+Etp=0", HOME: "+S,-Etp=0,+Etp=1", "end": "Bl=90"}[front]
        yield f"9,h,{passed},{said}"


LOGS = {"logcat": logcat, "usagestats": usagestats, "batterystats": batterystats}


def phases(result):
    return result.phases.filter(pl.col("source") != "uncovered").select(
        "state", "start", "end", "exposure"
    )


def uploads(result):
    counts = pl.selectors.starts_with("up_", "down_")
    of_state = result.uploads.group_by("state", "remote_address", "host").agg(counts.sum())
    return of_state.sort("state", "remote_address", "host")


@pytest.fixture(scope="module")
def by_hand():
    return analyze([CAPTURE], Settings(timelines=(SAMPLE / "rep1.timeline.csv",), app=PARROT))


@pytest.mark.parametrize("name", LOGS)
def test_a_log_gives_the_same_phases_and_uploads_as_the_timeline(name, by_hand, tmp_path):
    path = tmp_path / f"{name}.txt"
    path.write_text("\n".join(LOGS[name]()) + "\n", encoding="utf-8")
    result = analyze([CAPTURE], Settings(timelines=(path,), app=PARROT, timezone=ZONE))
    assert phases(result).equals(phases(by_hand))
    assert uploads(result).equals(uploads(by_hand))
    assert result.summary.idle_share == by_hand.summary.idle_share
    sources = result.phases.filter(pl.col("source") != "uncovered")["source"]
    assert sources.str.starts_with(f"{path.name}:").all()
    assert sources.n_unique() == len(sources)


def test_odd_lines_of_a_log_are_rows_with_their_line(tmp_path):
    path = tmp_path / "events.txt"
    path.write_text("\n".join([*logcat(), "torn"]) + "\n", encoding="utf-8")
    result = analyze([CAPTURE, SAMPLE / "rep2.pcap"], Settings(timelines=(path,), app=PARROT))
    lines = path.read_text(encoding="utf-8").splitlines()
    odd = result.oddities.filter(pl.col("layer") == "timeline")
    assert odd.select("capture", "frame", "kind", "count").rows() == [
        ("events.txt", len(lines), "line_unknown", 1)
    ]


@pytest.mark.parametrize("means", IDLE_STATES)
def test_the_idle_share_is_that_of_the_states_that_were_said_to_be_idle(means, by_hand):
    settings = Settings(timelines=(SAMPLE / "rep1.timeline.csv",), idle_means=means)
    summary = analyze([CAPTURE], settings).summary
    sent = by_hand.uploads.filter(pl.col("state").is_in(IDLE_STATES[means]))
    whole = by_hand.uploads["up_unique_bytes"].sum()
    assert summary.idle_means == means
    assert summary.idle_share == sent["up_unique_bytes"].sum() / whole > 0
