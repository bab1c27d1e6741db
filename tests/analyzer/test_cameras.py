"""A camera in labelled phases, held to what its publishers counted of each address.

The captures lie where `PHONEHOME_REAL` points, the phases and the counts beside them. Countries are
those of another source, from another time: one network is China's there, and the United States' or
Germany's in the first database here.
"""

import csv
import os
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.analysis import Analysis, analyze
from phonehome.analyzer.settings import Settings

REAL = Path(os.environ.get("PHONEHOME_REAL", Path(__file__).parents[3] / "shared/real"))
REFERENCE = REAL / "reference/nku"
NAMED = "nku-lifecycle-iot__xiaobai_Y2camera_{}.pcap"
CAMERA = "192.168.1.165"
COUNTRIES = {"China": "CN", "United States": "US"}
DISPUTED = "110.43."

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="no captures of a camera here")


def spans() -> list[tuple[str, str, str]]:
    """Label, start and end of each phase; the clock of the publishers is China's."""
    lines = (REFERENCE / "phases.txt").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [
        (label, *(f"{time.replace('_', 'T')}+08:00" for time in (start, end)))
        for label, start, end, _ in rows
    ]


def counted() -> dict[tuple[str, str], tuple[str, int]]:
    """Country and bytes of each phase and address, as the publishers counted them."""
    rows = {}
    for label, _, _ in spans():
        path = REFERENCE / f"xiaobai_Y2camera_{label}_region.csv"
        if path.exists():
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
                rows[label, row["IP"]] = (COUNTRIES[row["region"]], int(row["bytes"]))
    return rows


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    timeline = tmp_path_factory.mktemp("camera") / "phases.csv"
    lines = [
        f"{start},{end},{'idle' if label.startswith('idle') else 'active'},{label}"
        for label, start, end in spans()
    ]
    timeline.write_text("\n".join(["start,end,state,label", *lines]))
    labels = {label for label, _ in counted()}
    captures = [REAL / "captures" / NAMED.format(label) for label in sorted(labels)]
    return analyze(captures, Settings(timelines=(timeline,)))


def test_the_camera_is_the_phone_of_every_capture(analysis: Analysis):
    assert set(analysis.phones.filter("is_phone")["address"]) == {CAMERA}


def test_bytes_of_each_phase_and_address_are_those_that_were_counted(analysis: Analysis):
    found = analysis.uploads.join(analysis.phases.select("phase", "label"), on="phase").select(
        "label", "remote_address", pl.col("up_wire_bytes") + pl.col("down_wire_bytes")
    )
    expected = {key: octets for key, (_, octets) in counted().items()}
    assert len(expected) == 40
    assert {(label, address): octets for label, address, octets in found.rows()} == expected


def test_countries_differ_in_one_network_alone(analysis: Analysis):
    places = dict(analysis.places.select("address", "country").rows())
    differing = {
        address for (_, address), (country, _) in counted().items() if places[address] != country
    }
    assert differing
    assert all(address.startswith(DISPUTED) for address in differing)
