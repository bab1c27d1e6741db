# Held by tests/test_house.py: the contract: described, and validated in every run.
"""Verdicts on claims."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column

RESULTS = ("supported", "contradicted", "cannot tell")

DOUBTS = (
    "nothing observed",
    "not seen",
    "too little time",
    "no phases known",
    "phases inferred",
    "location unverifiable",
    "names hidden",
    "network unknown",
    "app unknown",
    "content unknown",
    "input damaged",
    "only a part",
    "as the claim says",
)


class Claims(dy.Schema):
    """One row per claim that was tested, in the order of its file."""

    claim = dy.String(nullable=False, primary_key=True, description="Its id.")
    file = dy.String(nullable=False, description="Name of the file that states it.")
    sentence = dy.String(nullable=False, description="The claim, as somebody published it.")
    source = dy.String(nullable=False, description="Who published it, and where.")
    source_date = dy.String(nullable=True, description="When. Null: the file does not say.")
    source_url = dy.String(nullable=True, description="Its address. Null: none is given.")
    test = dy.String(nullable=False, description="What was tested, in words.")
    can_show = dy.String(
        nullable=True, description="What a capture can show of it. Null: the file does not say."
    )
    cannot_show = dy.String(
        nullable=True, description="What a capture cannot show of it. Null: as above."
    )
    query = dy.String(nullable=False, description="SQL that was asked.")
    expect = dy.String(nullable=False, description="What its answer has to be.")
    found = dy.String(nullable=True, description="The answer. Null: nothing matched.")
    result = dy.String(
        nullable=False,
        check=lambda word: word.is_in(RESULTS),
        description="supported or contradicted by these captures; cannot tell: see reason.",
    )
    reason = dy.String(
        nullable=True,
        check=lambda word: word.is_in(DOUBTS),
        description="Why it cannot be told, in a few words. Null: it can.",
    )
    explanation = dy.String(nullable=False, description="The same in sentences, with numbers.")
    remarks = dy.List(
        dy.String(), nullable=False, description="What to know before relying on the result."
    )
    verdicts = dy.List(
        dy.String(),
        nullable=True,
        description="Verdicts on a country with which it counts. Null: it is not about countries.",
    )
    states = dy.List(
        dy.String(), nullable=False, description="States of the phone it is about. Empty: all."
    )
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that was observed in those states."
    )
    needed_exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that it takes to say what is not there."
    )
    up_unique_bytes = count_column("Uploaded by the flows concerned, in all states.")
    flow_count = count_column("Flows concerned.")
    flows = dy.List(
        dy.Int64(), nullable=False, description="Flows concerned, most bytes first, up to 100."
    )
    display_filter = dy.String(
        nullable=True,
        description="Wireshark display filter that finds their addresses, up to 12 of them. Null: "
        "no flow is concerned.",
    )
