"""How much of what the phone counted for its apps is in the captures."""

from collections.abc import Mapping

import dataframely as dy
import polars as pl

from phonehome.analyzer.findings.phone_counters import NOBODY, Counted, Key
from phonehome.analyzer.flows.apps import Apps
from phonehome.analyzer.kinds.measured import COARSE, REMARKS
from phonehome.analyzer.tables import Completeness

RESET = "the phone's counter was reset between the two readings"
MORE = (
    "the capture holds more than the phone counted: the readings lie inside it, or it counts twice"
)
NOT_MET = "no flow of it was captured"
LEAST_MORE = 1.02
"""From this share on a capture holds more than was counted."""


def completeness(
    counted: Mapping[Key, Counted | None],
    flows: pl.DataFrame,
    apps: Apps,
    observed_seconds: float,
) -> dy.DataFrame[Completeness]:
    """One row per app that the phone counted bytes for, and one for all, most bytes first.

    IP bytes of both are compared: with public remotes and with local ones, which phones count too.

    Args:
        counted: what the phone counted between two readings.
        flows: all flows.
        apps: packages by user id.
        observed_seconds: length of all captures.
    """
    if not counted:
        return Completeness.create_empty()
    own = flows.filter(pl.col("role").is_in(("phone", "local")))
    by_uid = {row[0]: row[1:] for row in _sums(own.drop_nulls("uid"), "uid").rows()}
    by_app = {row[0]: row[1:] for row in _sums(own.drop_nulls("app"), "app").rows()}
    names = dict(own.drop_nulls("uid").group_by("uid").agg(pl.col("app").first()).rows())
    rows = []
    for (uid, name), counters in counted.items():
        if counters is not None and not (counters.up or counters.down or counters.both):
            continue
        app = name if uid == NOBODY else names.get(uid) or apps.get(uid) or f"uid {uid}"
        sent = by_app.get(app) if uid == NOBODY else by_uid.get(uid)
        if sent is None and uid != NOBODY and app in by_app and not by_uid:
            sent = by_app[app]
        rows.append(_row(app, None if uid == NOBODY else uid, counters, sent or (0, 0)))
    everything = [of for of in counted.values() if of is not None]
    whole = Counted(
        sum(of.up for of in everything),
        sum(of.down for of in everything),
        both=sum(_both(of) for of in everything)
        if any(of.both is not None for of in everything)
        else None,
    )
    captured = own.select(pl.col("up_ip_bytes", "down_ip_bytes").sum()).row(0)
    rows.append(_row(None, None, whole, captured))
    table = pl.DataFrame(rows, schema=Completeness.create_empty().schema, orient="row")
    return Completeness.validate(
        _with_coarse(table, everything, observed_seconds).sort(
            pl.col("app").is_not_null(), -pl.col("counted_bytes"), "app", "uid", nulls_last=True
        )
    )


def _with_coarse(
    table: pl.DataFrame, counted: list[Counted], observed_seconds: float
) -> pl.DataFrame:
    """The rows with a remark where the phone's history is coarser than what was observed."""
    longest = max((of.bucket_seconds or 0 for of in counted), default=0)
    if longest <= observed_seconds:
        return table
    said = COARSE(bucket=longest // 60, observed=round(observed_seconds / 60))
    for remark in table["remark"].drop_nulls().unique():
        REMARKS(remarks=[remark, said])  # as the column has it
    return table.with_columns(
        pl.concat_str("remark", pl.lit(said), separator="; ", ignore_nulls=True).alias("remark")
    )


def _sums(flows: pl.DataFrame, key: str) -> pl.DataFrame:
    return flows.group_by(key).agg(pl.col("up_ip_bytes", "down_ip_bytes").sum())


def _row(
    app: str | None, uid: int | None, counted: Counted | None, captured: tuple[int, int]
) -> tuple[object, ...]:
    if counted is None:
        return (app, uid, None, None, None, None, *captured, None, None, None, RESET)
    both = _both(counted)
    ways = (counted.up, counted.down) if counted.both is None else (None, None)
    pairs = zip((*captured, sum(captured)), (*ways, both), strict=True)
    shares = [part / whole if whole else None for part, whole in pairs]
    is_more = any(share is not None and share > LEAST_MORE for share in shares)
    remark = MORE if is_more else NOT_MET if not any(captured) else None
    return (app, uid, *ways, both, counted.foreground_up, *captured, *shares, remark)


def _both(counted: Counted) -> int:
    """What was counted both ways together."""
    return counted.up + counted.down if counted.both is None else counted.both
