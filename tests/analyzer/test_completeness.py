"""How much of what the phone counted was captured."""

import polars as pl

from analyzer.completeness import MORE, NOT_MET, RESET, completeness
from analyzer.counters import NOBODY, Counted

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


def found(counted, flows=FLOWS, apps=None):
    return {row["app"]: row for row in completeness(counted, flows, apps or {}).to_dicts()}


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
