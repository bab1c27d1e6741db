"""What single flows hold beside counts: requests, certificates, records of MMTLS."""

import dataframely as dy
import polars as pl

from phonehome.analyzer.tables import Mmtls, Requests, ServerCertificates

_ENDS = ("flow", "capture", "is_local_b", "local_address", "local_port", "remote_address")


def requests(found: pl.DataFrame, flows: pl.DataFrame) -> dy.DataFrame[Requests]:
    """Requests with their responses.

    Args:
        found: as `captures.tables.Exchanges`, with `flow` for `conversation`.
        flows: flow, capture, is_local_b, and both ends.
    """
    seen = _of_flows(found, flows)
    order = ("flow", "capture", "frame", "response_frame")
    table = seen.sort(*order, nulls_last=True, maintain_order=True)
    return Requests.validate(table.select(Requests.column_names()))


def certificates(found: pl.DataFrame, flows: pl.DataFrame) -> dy.DataFrame[ServerCertificates]:
    """Certificates, with who showed them; arguments as for `requests`."""
    seen = _of_flows(found, flows).with_columns(
        pl.when("is_up").then(f"local_{what}").otherwise(f"remote_{what}").alias(what)
        for what in ("address", "port")
    )
    table = seen.sort("capture", "frame", "flow", maintain_order=True)
    return ServerCertificates.validate(table.select(ServerCertificates.column_names()))


def mmtls(found: pl.DataFrame, flows: pl.DataFrame) -> dy.DataFrame[Mmtls]:
    """Records of MMTLS; arguments as for `requests`."""
    table = _of_flows(found, flows).sort("flow", "is_up", "kind", descending=(False, True, False))
    return Mmtls.validate(table.select(Mmtls.column_names()))


def _of_flows(found: pl.DataFrame, flows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their flow's ends, and whether the phone's side spoke."""
    ends = flows.select(*_ENDS, "remote_port")
    return found.join(ends, on="flow", maintain_order="left").with_columns(
        is_up=pl.col("is_from_b") == pl.col("is_local_b")
    )
