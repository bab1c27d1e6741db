"""How much of what the phone counted was captured."""

import polars as pl

from phonehome.analyzer.findings.completeness import MORE, NOT_MET, RESET, completeness
from phonehome.analyzer.findings.phone_counters import NOBODY, Counted
from phonehome.analyzer.kinds.measured import COARSE

FLOWS = pl.DataFrame(
    [
        ("phone", "chat", 10144, 900, 500),
        ("local", "chat", 10144, 50, 0),
        ("phone", "mail", 10150, 300, 10),
        ("bystander", "chat", 10144, 7_000, 7_000),
    ],
    schema={
        "role": pl.String,
        "app": pl.String,
        "uid": pl.Int64,
        "up_ip_bytes": pl.Int64,
        "down_ip_bytes": pl.Int64,
    },
    orient="row",
)


def found(counted, flows=FLOWS, apps=None, observed=9_000.0):
    return {
        row["app"]: row for row in completeness(counted, flows, apps or {}, observed).to_dicts()
    }


def test_shares_are_captured_of_counted():
    rows = found({(10144, None): Counted(1_000, 1_000, 400), (10150, None): Counted(300, 10)})
    chat = rows["chat"]
    assert (chat["up_share"], chat["down_share"]) == (0.95, 0.5)
    assert (chat["counted_foreground_up_bytes"], chat["remark"]) == (400, None)
    assert (rows["mail"]["up_share"], rows["mail"]["remark"]) == (1, None)
    whole = rows[None]
    assert (whole["counted_up_bytes"], whole["captured_up_ip_bytes"]) == (1_300, 1_250)
    assert next(iter(rows)) is None


def test_what_was_not_captured_or_counted_wrongly_is_remarked():
    counted = {
        (10144, None): Counted(100, 500),
        (10150, None): None,
        (10199, None): Counted(5, 5),
        (10200, None): Counted(0, 0),
    }
    rows = found(counted, apps={10199: "clock"})
    assert rows["chat"]["remark"] == MORE
    assert rows["mail"]["remark"] == RESET
    assert rows["clock"]["remark"] == NOT_MET
    assert set(rows) == {None, "chat", "mail", "clock"}


def test_apps_are_found_by_name_where_only_that_is_known():
    rows = found({(NOBODY, "chat"): Counted(950, 500)})
    assert rows["chat"]["up_share"] == 1
    plain = FLOWS.with_columns(uid=pl.lit(None, pl.Int64))
    rows = found({(10144, None): Counted(950, 500)}, plain, {10144: "chat"})
    assert rows["chat"]["up_share"] == 1


def test_without_counters_there_is_nothing():
    assert found({}) == {}


def test_what_a_phone_tells_of_both_ways_together_is_held_against_both():
    rows = found({(NOBODY, "chat"): Counted(0, 0, both=2_900), (NOBODY, "mail"): Counted(300, 10)})
    chat, whole = rows["chat"], rows[None]
    assert (chat["counted_bytes"], chat["share"]) == (2_900, 0.5)
    assert (chat["counted_up_bytes"], chat["up_share"], chat["remark"]) == (None, None, None)
    assert (rows["mail"]["up_share"], rows["mail"]["share"]) == (1, 1)
    assert (whole["counted_bytes"], whole["counted_up_bytes"]) == (3_210, None)


def test_a_history_coarser_than_the_captures_says_so():
    counted = {
        (10144, None): Counted(950, 500, 0, bucket_seconds=7_200),
        (10150, None): Counted(300, 10, 0, bucket_seconds=7_200),
    }
    rows = found(counted, observed=4_200)
    assert {row["remark"] for row in rows.values()} == {COARSE(bucket=120, observed=70)}
    assert rows["chat"]["up_share"] == 1
    assert found(counted, observed=7_200)["chat"]["remark"] is None
    more = found({(10144, None): Counted(9, 9, 0, bucket_seconds=7_200)}, observed=60)["chat"]
    assert more["remark"] == f"{MORE}; {COARSE(bucket=120, observed=1)}"
