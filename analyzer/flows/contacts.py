# Held by tests/analyzer/behaviour/test_rates.py: held to the ledger's bytes.
"""Contacts of the phone with public remotes: stretches of new payload without a pause.

There are many more of them than flows, so they are kept in numbers; what a number stands for, a
short table says.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from phonehome.analyzer.tables import STATES

NAME = pl.coalesce("host", "remote_address")
"""What a remote is called where contacts are grouped: its host, else its address."""
_NUMBERS = (
    *("flow", "phase", "is_up", "start", "last", "unique_bytes", "packets"),
    *("first_frame", "last_frame"),
)
_GROUP = ("app", "name", "service")


class Met(NamedTuple):
    """The contacts of the phone with public remotes.

    Attributes:
        contacts: capture, flow, phase, state (place in `STATES`), group, remote, is_up, start and
            last (ns), unique_bytes, packets, first_frame, last_frame; by capture, then by start.
        groups: per group its app, host, name and service; its number is its row.
        captures: names of the captures, by number.
        flows: the phone's flows: group, remote (a number per address), app, host, name, …; by flow.
    """

    contacts: pl.DataFrame
    groups: pl.DataFrame
    captures: list[str]
    flows: pl.DataFrame

    def of_app(self, app: str) -> "Met":
        """The contacts of one app."""
        flows = self.flows.filter(pl.col("app").eq_missing(app))
        kept = self.contacts.join(
            flows.select("flow"), on="flow", how="semi", maintain_order="left"
        )
        return self._replace(contacts=kept, flows=flows)


def of_phone(contacts: pl.DataFrame, flows: pl.DataFrame, phases: pl.DataFrame) -> Met:
    """The contacts of the phone's flows with public remotes.

    Args:
        contacts: flow, phase, is_up, start, last, unique_bytes, packets, first_ and last_frame.
        flows: all flows.
        phases: all phases.
    """
    wanted = flows.filter(pl.col("role") == "phone").select(
        "flow", "capture", "app", "host", "remote_address", "service", "country",
        name=NAME, is_answered=pl.col("down_packets") > 0,
    )  # fmt: skip
    groups = wanted.group_by(_GROUP, maintain_order=True).agg(pl.col("host").first())
    wanted = wanted.join(
        groups.with_row_index("group").drop("host"),
        on=_GROUP,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    ).with_columns(
        remote=pl.col("remote_address").rank("dense").cast(pl.Int32),
        group=pl.col("group").cast(pl.Int32),
    )
    captures = wanted["capture"].unique(maintain_order=True).to_list()
    capture = wanted["capture"].cast(pl.Enum(captures)).to_physical().cast(pl.Int32).to_numpy()
    row_of = np.full(int(flows["flow"].max() or 0) + 1, -1, dtype=np.int32)  # type: ignore[arg-type]
    row_of[wanted["flow"].to_numpy()] = np.arange(wanted.height)
    row = row_of[contacts["flow"].to_numpy()]
    kept = np.flatnonzero(row >= 0)
    kept = kept[np.lexsort((contacts["start"].to_numpy()[kept], capture[row[kept]]))]
    row = row[kept]
    states = phases["state"].cast(pl.Enum(STATES)).to_physical().cast(pl.Int32).to_numpy()
    state_of = np.zeros(int(phases["phase"].max() or 0) + 1, dtype=np.int32)  # type: ignore[arg-type]
    state_of[phases["phase"].to_numpy()] = states
    met = contacts.select(*_NUMBERS)[kept]
    met = met.with_columns(
        pl.Series("capture", capture[row]),
        pl.Series("group", wanted["group"].to_numpy()[row]),
        pl.Series("remote", wanted["remote"].to_numpy()[row]),
        pl.Series("state", state_of[met["phase"].to_numpy()]),
    )
    return Met(met, groups, captures, wanted)
