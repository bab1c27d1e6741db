# Held by tests/test_house.py: the contract: described, and validated in every run.
"""Kinds of column that several groups of tables share."""

import dataframely as dy


def time_column(description: str, *, nullable: bool = True) -> dy.Datetime:
    """A moment: UTC, to the nanosecond."""
    return dy.Datetime(nullable=nullable, time_unit="ns", time_zone="UTC", description=description)


def count_column(description: str) -> dy.Int64:
    """A number of things or bytes, never null."""
    return dy.Int64(nullable=False, min=0, description=description)
