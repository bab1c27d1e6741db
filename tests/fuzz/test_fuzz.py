"""Mutants of captures: none may break the contract, hang, or bring the process down."""

import struct

import pytest

from tests.fuzz import holding, running
from tests.fuzz.mutating import CHANGES, mutant, taken_apart
from tests.small_captures import household, pcap, pcapng


def test_the_same_seed_makes_the_same_mutant():
    bases = [pcap(household()), pcapng(household())]
    made = [mutant(seed, bases) for seed in range(200)]
    assert made == [mutant(seed, bases) for seed in range(200)]
    assert len(set(made)) > 180


@pytest.mark.parametrize("octets", [pcap(household()), pcapng(household())])
def test_what_is_taken_apart_is_put_together_again(octets):
    capture = taken_apart(octets)
    assert octets.startswith(capture.file())
    assert len(capture.pieces) > 5


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("make", [pcap, pcapng])
def test_each_change_changes_something(change, make):
    import random  # noqa: PLC0415 - only here

    whole = taken_apart(make(household())).file()
    changed = []
    for seed in range(40):
        capture = taken_apart(whole)
        change(random.Random(seed), capture)  # noqa: S311 - the same each time
        changed.append(capture.file() != whole)
    is_for_records_alone = change.__name__ in {"shorten", "header"} and make is pcapng
    assert any(changed) or is_for_records_alone


def test_a_broken_identity_is_found(tmp_path, monkeypatch):
    def doubled(self):
        table = packets(self)
        for batch in table:
            yield batch.vstack(batch)

    packets = holding.Reading.packets
    monkeypatch.setattr(holding.Reading, "packets", doubled)
    with pytest.raises(AssertionError):
        holding.hold(pcap(household()), tmp_path / "a.pcap", 1)


def test_what_cannot_be_opened_is_refused(tmp_path):
    octets = struct.pack("<I", 7) + bytes(60)
    assert holding.hold(octets, tmp_path / "a.pcap", 0) == "refused"


@pytest.mark.slow
def test_a_thousand_mutants_keep_the_contract():
    outcome = running.run(1, 1_000, workers=1)
    assert outcome.findings == []
    assert sum(outcome.ends.values()) == 1_000
    assert outcome.ends["read"] > 800
