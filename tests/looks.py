"""Variants of a test of which the first are run always, and the rest with `--all` alone."""

from collections.abc import Iterable
from typing import Any

import pytest


def first(variants: Iterable[Any], always: int = 1) -> list[Any]:
    """The variants as `pytest.mark.parametrize` takes them, all but the first ones slow.

    Args:
        variants: of one parameter its values, of several tuples of them.
        always: how many are run always.
    """
    return [
        variant if place < always else pytest.param(*_values(variant), marks=pytest.mark.slow)
        for place, variant in enumerate(variants)
    ]


def _values(variant: Any) -> tuple[Any, ...]:
    return variant if isinstance(variant, tuple) else (variant,)
