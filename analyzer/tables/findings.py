# Held by tests/test_house.py: the contract: described, and validated in every run.
"""What a reader should know beside the totals."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column


class Amplification(dy.Schema):
    """Per thing that the user says was sent: how many times over it left the phone, and to whom.

    The first row of each is for all destinations, then up to 50 of them, most bytes first.
    """

    thing = dy.Int64(nullable=False, min=1, description="Number of the thing, as given.")
    label = dy.String(nullable=True, description="Label of its phases. Null: all phases.")
    source = dy.String(nullable=False, description="What it is called.")
    sent_bytes = dy.Int64(nullable=False, min=1, description="Its bytes.")
    name = dy.String(
        nullable=True, description="Host, or address where it has no name. Null: all of them."
    )
    country = dy.String(nullable=True, description="First opinion. Null: none, or all of them.")
    up_unique_bytes = count_column("Uploaded in those phases.")
    times = dy.Float64(nullable=False, min=0, description="How many times its bytes that is.")


class Completeness(dy.Schema):
    """Per app, and for all: how much of what the phone counted is in the captures.

    The row for all comes first, then by bytes counted. IP bytes, with local remotes too.
    """

    app = dy.String(nullable=True, description="App, or `uid` and its number. Null: all of them.")
    uid = dy.Int64(nullable=True, description="User id. Null: all, or known by name alone.")
    counted_up_bytes = dy.Int64(
        nullable=True,
        min=0,
        description="IP bytes that the phone counted, up. Null: see remark, or it does not tell "
        "the directions apart.",
    )
    counted_down_bytes = dy.Int64(
        nullable=True, min=0, description="IP bytes that it counted, down. Null: as above."
    )
    counted_bytes = dy.Int64(
        nullable=True, min=0, description="IP bytes that it counted, both ways. Null: see remark."
    )
    counted_foreground_up_bytes = dy.Int64(
        nullable=True,
        min=0,
        description="Of the IP bytes up, what it counted while the app was in front. Null: not "
        "told.",
    )
    captured_up_ip_bytes = count_column("IP bytes up in the captures.")
    captured_down_ip_bytes = count_column("IP bytes down in the captures.")
    up_share = dy.Float64(
        nullable=True, description="Captured of counted, up. Null: nothing was counted."
    )
    down_share = dy.Float64(
        nullable=True, description="Captured of counted, down. Null: nothing was counted."
    )
    share = dy.Float64(
        nullable=True, description="Captured of counted, both ways. Null: nothing was counted."
    )
    remark = dy.String(nullable=True, description="What to know of the row. Null: nothing.")


class Findings(dy.Schema):
    """One row per statement of the run, the ones that a reader meets first first.

    Notes come in their order, then the reasons and remarks that stand in other tables. `kind` and
    `values` say all that a sentence says, in no language: sentences are made from them.
    """

    finding = dy.Int64(nullable=False, primary_key=True, description="Number, from 1.")
    kind = dy.String(nullable=False, description="What is said, by the name of its template.")
    severity = dy.Int64(
        nullable=False,
        min=1,
        max=5,
        description="1: contradicts the answer, or takes its ground away … 5: a note.",
    )
    values = dy.List(
        dy.Struct(
            {
                "name": dy.String(nullable=False),
                "type": dy.String(nullable=False),
                "text": dy.String(nullable=False),
            },
            nullable=False,
        ),
        nullable=False,
        description="What the sentence is made from: part of the template, type, and the value in "
        "no language; several names are a list in JSON.",
    )
    sentence = dy.String(nullable=False, description="The statement in English.")
    basis = dy.String(
        nullable=True,
        description="What it rests on, in English. Null: the sentence says it.",
    )
    display_filter = dy.String(
        nullable=True,
        description="Wireshark display filter that finds its frames. Null: none fits.",
    )
    flows = dy.List(
        dy.Int64(nullable=False),
        nullable=False,
        description="Flows that it is about; empty: not of single flows.",
    )
