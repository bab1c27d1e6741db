import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.claims.check import MOST_FLOWS, claims_table, with_claims
from phonehome.analyzer.claims.file import ClaimsError, read_claims, shipped_claims
from phonehome.analyzer.claims.tables import SCHEMAS, tables_in, tables_of
from phonehome.analyzer.tables import RESULTS
from phonehome.captures.errors import CaptureError
from phonehome.reports.exports.folder import write
from tests.analyzer.stated import BEGIN, Sent, tables, written

pytestmark = pytest.mark.usefixtures("asked_here")
NO_CHINA = 'no-upload-to = ["CN"]\nverdicts = ["consistent", "disputed", "unverifiable"]'


def test_claims_come_in_the_order_of_their_files(tmp_path):
    paths = [
        written(tmp_path, 'no-upload-to = ["US"]', name="b.toml"),
        tmp_path / "a.toml",
    ]
    paths[1].write_text(paths[0].read_text().replace('"one"', '"two"'))
    found = claims_table(tables(Sent(9)), read_claims(paths))
    assert found.select("claim", "file", "result").rows() == [
        ("one", "b.toml", "contradicted"),
        ("two", "a.toml", "contradicted"),
    ]


def test_no_claim_changes_no_analysis(samples):
    analysis = samples("parrot-1.0/rep1").analysis
    assert with_claims(analysis, ()) is analysis
    assert analysis.claims.is_empty()


def test_the_new_version_of_the_sample_contradicts_what_holds_for_the_old(tmp_path, samples):
    stated = read_claims([written(tmp_path, NO_CHINA.replace("CN", "SG"))])
    old, new = (samples(f"parrot-{version}/rep1") for version in ("1.0", "2.0"))
    (held,) = with_claims(old.analysis, stated).claims.to_dicts()
    assert held["result"] == "supported"
    (broken,) = with_claims(new.analysis, stated).claims.to_dicts()
    assert broken["result"] == "contradicted"
    uploads = new.analysis.uploads.filter(pl.col("country") == "SG")
    assert broken["found"] == f"{uploads['up_unique_bytes'].sum():,}"
    flows = new.analysis.flows.filter(pl.col("country") == "SG", pl.col("up_unique_bytes") > 0)
    assert set(broken["flows"]) <= set(flows["flow"])
    assert broken["flow_count"] == flows.height


def test_a_saved_analysis_gives_what_the_capture_gave(tmp_path, samples):
    analysis = samples("parrot-2.0/rep1").analysis
    folder = tmp_path / "saved"
    write(analysis, folder, formats=frozenset({"parquet"}), force=False, started=BEGIN)
    stated = read_claims([written(tmp_path, NO_CHINA)])
    assert claims_table(tables_in(folder), stated).equals(claims_table(tables_of(analysis), stated))


def test_a_saved_analysis_that_was_changed_is_refused(tmp_path, samples):
    folder = tmp_path / "saved"
    write(samples("parrot-1.0/rep1").analysis, folder, formats=frozenset({"parquet"}), force=False,
          started=BEGIN)  # fmt: skip
    pl.read_parquet(folder / "flows.parquet").head(1).write_parquet(folder / "flows.parquet")
    with pytest.raises(CaptureError, match="flows"):
        tables_in(folder)
    (folder / "manifest.json").write_text(json.dumps({"outputs": []}))
    with pytest.raises(CaptureError):
        tables_in(folder)


def test_of_many_flows_those_with_most_bytes_are_named(tmp_path):
    sent = [
        Sent(number, address=f"52.23.{number // 250}.{number % 250}") for number in range(1, 200)
    ]
    stated = read_claims([written(tmp_path, 'no-upload-to = ["US"]')])
    (row,) = claims_table(tables(*sent), stated).to_dicts()
    assert (row["flow_count"], len(row["flows"]), row["flows"][0]) == (199, MOST_FLOWS, 199)


def test_an_answer_of_another_kind_than_expected_names_claim_and_file(tmp_path):
    stated = read_claims([written(tmp_path, 'query = "SELECT host FROM flows"', 'expect = "== 0"')])
    with pytest.raises(ClaimsError, match=r"claims\.toml: claim one: query: a number expected"):
        claims_table(tables(Sent(9)), stated)


def test_a_clock_that_is_off_is_remarked_upon(tmp_path):
    stated = read_claims([written(tmp_path, 'idle-upload-below = "1 kB"')])
    of = tables(Sent(9))
    clock = {"capture": "a.pcap", "is_applied": False, "offset": timedelta(seconds=-37.2),
             "low": timedelta(seconds=-38), "high": timedelta(seconds=-36)}  # fmt: skip
    clocks = pl.DataFrame([clock], schema=SCHEMAS["clocks"].create_empty().schema)
    (row,) = claims_table(replace(of, frames=of.frames | {"clocks": clocks}), stated).to_dicts()
    assert any("off by +37.2 s" in remark for remark in row["remarks"])


def test_bytes_of_unknown_state_and_missing_bytes_are_remarked_upon(tmp_path):
    stated = read_claims([written(tmp_path, 'idle-upload-below = "1 kB"')])
    of = tables(Sent(9), Sent(1_234, state="unknown"), hours={"idle": 1, "unknown": 1})
    gaps = of.frames["captures"].with_columns(gap_bytes=pl.lit(77, pl.Int64))
    (row,) = claims_table(replace(of, frames=of.frames | {"captures": gaps}), stated).to_dicts()
    assert any(remark.startswith("1,234 bytes were uploaded when") for remark in row["remarks"])
    assert any("TCP streams held 77 bytes that were not" in remark for remark in row["remarks"])


def test_every_shipped_file_is_read_and_says_what_a_capture_cannot_show(samples):
    assert {"wechat-2020", "tiktok", "hong-kong-logs", "strict-privacy"} <= shipped_claims().keys()
    for path in shipped_claims().values():
        stated = read_claims([path])
        assert all(claim.can_show and claim.cannot_show for claim in stated)
        found = claims_table(tables_of(samples("parrot-2.0/rep1").analysis), stated)
        assert set(found["result"]) <= set(RESULTS)


def test_shipped_files_are_known_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_claims([Path("wechat-2020")])
