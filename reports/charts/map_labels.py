"""Where the names on the map stand: beside their bubble, on no other name and no other bubble."""

from collections.abc import Sequence
from typing import Final, NamedTuple

PLACES: Final = (
    "top center",
    "bottom center",
    "middle right",
    "middle left",
    "top right",
    "top left",
    "bottom right",
    "bottom left",
)
"""Where a text may stand, as plotly names it, the best first."""

_WIDTH: Final = 760.0  # px of the map for 360 degrees: where it is wider, names only come apart
_HEIGHT: Final = 400.0
_LETTER: Final = 6.6
_LINE: Final = 15.0


class Bubble(NamedTuple):
    """A bubble with its text; longitude and latitude in degrees, the radius in pixels."""

    longitude: float
    latitude: float
    radius: float
    text: str


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


def positions(bubbles: Sequence[Bubble]) -> list[str]:
    """A position for the text of each bubble, in their order, the first choosing first."""
    taken = [_box(bubble) for bubble in bubbles]
    found = []
    for number, bubble in enumerate(bubbles):
        others = [box for place, box in enumerate(taken) if place != number]
        best = min(PLACES, key=lambda place: _covered(_text(bubble, place), others))
        found.append(best)
        if bubble.text:
            taken.append(_text(bubble, best))
    return found


def _centre(bubble: Bubble) -> tuple[float, float]:
    return (bubble.longitude + 180) / 360 * _WIDTH, (90 - bubble.latitude) / 180 * _HEIGHT


def _box(bubble: Bubble) -> _Box:
    x, y = _centre(bubble)
    return _Box(x - bubble.radius, y - bubble.radius, x + bubble.radius, y + bubble.radius)


def _text(bubble: Bubble, place: str) -> _Box:
    """Where a text of that position stands."""
    x, y = _centre(bubble)
    vertical, horizontal = place.split()
    width = _LETTER * len(bubble.text)
    left = {"center": x - width / 2, "right": x + bubble.radius, "left": x - bubble.radius - width}
    top = {
        "top": y - bubble.radius - _LINE,
        "middle": y - _LINE / 2,
        "bottom": y + bubble.radius,
    }
    corner = _Box(left[horizontal], top[vertical], left[horizontal] + width, top[vertical] + _LINE)
    outside = max(0.0, -corner.left) + max(0.0, corner.right - _WIDTH)
    return corner._replace(bottom=corner.bottom + outside * _HEIGHT)  # a text cut off is worst


def _covered(box: _Box, others: Sequence[_Box]) -> float:
    """The area that it shares with others; what reaches out of the map counts with it."""
    shared = sum(
        max(0.0, min(box.right, other.right) - max(box.left, other.left))
        * max(0.0, min(box.bottom, other.bottom) - max(box.top, other.top))
        for other in others
    )
    return shared + max(0.0, box.bottom - box.top - _LINE)
