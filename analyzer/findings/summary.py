"""The answer in numbers."""

import polars as pl

from phonehome.analyzer.flows.apps import is_alone
from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import ENCRYPTION, STATES, VERDICTS, Summary
from phonehome.analyzer.timeline.spans import INFERRED

SECONDS = 1_000_000_000


def summary(  # noqa: PLR0913 - every table that the answer comes from
    *,
    app: str | None,
    idle_means: str,
    version: str | None,
    captures: pl.DataFrame,
    flows: pl.DataFrame,
    places: pl.DataFrame,
    phases: pl.DataFrame,
    uploads: pl.DataFrame,
    is_balanced: bool,
    searched_up_bytes: int | None = None,
) -> Summary:
    """Totals of the phone's traffic with public remotes; of the app's, where it is known."""
    phone = flows.filter(pl.col("role") == "phone")
    is_app_known = bool(phone["app"].is_not_null().any())
    if is_alone(app, phone["app"]):
        phone, uploads = (table.filter(pl.col("app") == app) for table in (phone, uploads))
    got = uploads.filter(pl.col("up_unique_bytes") > 0)
    by_state = dict.fromkeys(STATES, 0) | dict(
        uploads.group_by("state").agg(pl.col("up_unique_bytes").sum()).iter_rows()
    )
    exposure = dict.fromkeys(STATES, 0.0) | {
        state: total / SECONDS
        for state, total in phases.group_by("state")
        .agg(pl.col("exposure").dt.total_nanoseconds().sum())
        .iter_rows()
    }
    total = int(uploads["up_unique_bytes"].sum())
    idle = sum(by_state[state] for state in IDLE_STATES[idle_means])
    is_known = any(exposure[state] for state in STATES if state != "unknown")
    unnamed = int(uploads.filter(pl.col("host").is_null())["up_unique_bytes"].sum())
    disputed = places.filter(pl.col("verdict") == "disputed")["address"]
    return Summary(
        app=app,
        is_app_known=is_app_known,
        version=version,
        up_unique_bytes=total,
        down_unique_bytes=int(uploads["down_unique_bytes"].sum()),
        up_wire_bytes=int(uploads["up_wire_bytes"].sum()),
        flows=len(phone),
        remotes=phone["remote_address"].n_unique(),
        hosts=phone["host"].drop_nulls().n_unique(),
        countries=got["country"].drop_nulls().n_unique(),
        organisations=got["as_org"].drop_nulls().n_unique(),
        up_unique_bytes_by_state=by_state,
        exposure_by_state=exposure,
        idle_means=idle_means,
        is_inferred=bool((phases["source"] == INFERRED).any()),
        idle_share=idle / total if total and is_known else None,
        unnamed_up_unique_bytes=unnamed,
        unnamed_share=unnamed / total if total else None,
        disputed_up_unique_bytes=int(
            uploads.filter(pl.col("remote_address").is_in(disputed.implode()))[
                "up_unique_bytes"
            ].sum()
        ),
        up_unique_bytes_by_verdict=by_verdict(uploads, places),
        up_unique_bytes_by_encryption=by_encryption(phone),
        first_time=_text(captures["first_time"].min()),
        last_time=_text(captures["last_time"].max()),
        packets=int(captures["packets"].sum()),
        wire_bytes=int(captures["wire_bytes"].sum()),
        is_damaged=bool(captures["damage"].is_not_null().any()),
        is_balanced=is_balanced,
        searched_up_bytes=searched_up_bytes,
    )


def by_verdict(uploads: pl.DataFrame, places: pl.DataFrame) -> dict[str, int]:
    """Uploaded per verdict on the remote's country; `none` where it has none."""
    judged = uploads.join(
        places.select("address", pl.col("verdict").fill_null("none")),
        left_on="remote_address",
        right_on="address",
    )
    sums = judged.group_by("verdict").agg(pl.col("up_unique_bytes").sum())
    return dict.fromkeys((*VERDICTS, "none"), 0) | dict(sums.iter_rows())


def by_encryption(flows: pl.DataFrame) -> dict[str, int]:
    """Uploaded per class of encryption; `unknown` where nothing tells it."""
    sums = flows.group_by(pl.col("up_encryption").fill_null("unknown")).agg(
        pl.col("up_unique_bytes").sum()
    )
    return dict.fromkeys((*ENCRYPTION, "unknown"), 0) | dict(sums.iter_rows())


def _text(time: object) -> str | None:
    """ISO 8601 with all nine digits."""
    if time is None:
        return None
    series = pl.Series([time], dtype=pl.Datetime("ns", "UTC"))
    return str(series.dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")[0])
