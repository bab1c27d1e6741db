from dataclasses import replace

import polars as pl
import pytest

from phonehome.analyzer.tables import ENCRYPTION, Decryption
from phonehome.captures.decryption.plaintext import LAYERS as ALL_LAYERS
from phonehome.captures.words import REASONS as ALL_REASONS
from phonehome.reports.page.decryption import CLASSES, LAYERS, REASONS, encryption
from phonehome.reports.page.report import page
from phonehome.reports.words.sums import counted


def shown(analysis):
    return encryption(analysis, counted(analysis).flows)


def opened(analysis, *reasons):
    rows = [
        {
            "flow": flow,
            "capture": "walk.pcapng",
            "layer": "tls",
            "keys_source": "keylog",
            "is_opened": reason is None,
            "up_opened_bytes": 1_000 if reason is None else 0,
            "down_opened_bytes": 0,
            "requests": 1 if reason is None else 0,
            "failures": 0,
            "reason": reason,
        }
        for flow, reason in zip(analysis.flows["flow"], reasons, strict=False)
    ]
    table = pl.DataFrame(rows, schema=Decryption.create_empty().schema)
    return replace(analysis, decryption=Decryption.validate(table), tshark="4.0.17")


def test_every_class_layer_and_reason_has_its_words():
    assert set(CLASSES) == {*ENCRYPTION, "unknown"}
    assert set(REASONS) == set(ALL_REASONS)
    assert set(LAYERS) == {*ALL_LAYERS, "dtls"}


def test_classes_and_destinations_sum_to_what_was_uploaded(rich):
    found = shown(rich)
    assert found["whole"] == counted(rich).flows["up_unique_bytes"].sum() > 0
    assert sum(up for _, up in found["classes"]) == found["whole"]
    assert sum(row["up"] for row in found["destinations"]) == found["whole"]
    for row in found["destinations"]:
        assert sum(row[name] for name in CLASSES) == row["up"]


def test_what_keys_opened_is_told_by_outcome(rich):
    found = shown(opened(rich, None, None, "no_key"))["opened"]
    assert [(row["outcome"], row["flows"], row["up_opened_bytes"]) for row in found] == [
        ("opened", 2, 2_000),
        (REASONS["no_key"], 1, 0),
    ]


def test_the_page_says_it(rich):
    text = b"".join(page(opened(rich, None, "tshark_stopped"))).decode()
    assert "How much of it was encrypted" in text
    assert "opened by tshark 4.0.17" in text
    assert REASONS["tshark_stopped"] in text
    assert "What keys opened" not in b"".join(page(rich)).decode()


@pytest.mark.parametrize("name", ["empty", "single"])
def test_small_analyses_have_their_page_too(request, name):
    analysis = request.getfixturevalue(name)
    assert b"".join(page(analysis))
    assert shown(analysis)["more"] == 0
