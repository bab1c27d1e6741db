# Held by tests/captures/search/test_search_layers.py: what it bounds.
"""What looking into contents may cost, so that a few octets that unfold to many cost little."""

from typing import Final

MOST_OCTETS: Final = 8 << 20
"""Octets that one content may unfold to, all that is in it and all layers together."""
RATIO: Final = 100
FREE_OCTETS: Final = 16 << 10
"""Octets that the smallest content may unfold to."""
RATIO_OF_CAPTURE: Final = 8
FREE_OCTETS_OF_CAPTURE: Final = 128 << 20
"""Octets that the contents of one capture may unfold to, beside so many times their size."""


class CaptureBudget:
    """What the contents of one capture may unfold to, all together.

    Attributes:
        left: octets.
    """

    def __init__(self) -> None:
        self.left = FREE_OCTETS_OF_CAPTURE

    def of_content(self, size: int) -> "Budget":
        """What the next content may unfold to, which has this many octets."""
        self.left += RATIO_OF_CAPTURE * size
        return Budget(size, self)


class Budget:
    """What one content may unfold to.

    Args:
        size: octets of the content.
        whole: what its capture may still unfold to; None: it is looked at by itself.

    Attributes:
        left: octets.
        left_out: finds beyond a limit, and 1 for what was not unfolded, if there is any.
    """

    def __init__(self, size: int, whole: CaptureBudget | None = None) -> None:
        most = min(MOST_OCTETS, max(FREE_OCTETS, RATIO * size))
        self._whole = whole
        self.left = most if whole is None else min(most, whole.left)
        self.left_out = 0

    def take(self, octets: bytes) -> bytes:
        """As much of what was unfolded as there is room for."""
        taken = octets[: self.left]
        if len(octets) >= self.left > 0:
            self.left_out += 1
        self.spend(len(taken))
        return taken

    def spend(self, octets: int) -> None:
        """Lessen the budget by what costs as much time as so many octets."""
        self.left -= octets
        if self._whole is not None:
            self._whole.left -= octets
