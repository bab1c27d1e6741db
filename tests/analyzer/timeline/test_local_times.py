"""Times that leave out the year or the zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from phonehome.analyzer.timeline.local_times import placed, stamp, zone_of
from phonehome.analyzer.timeline.spans import TimelineError

BERLIN = ZoneInfo("Europe/Berlin")


def nanoseconds(*date):
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("text", "near", "expected"),
    [
        ("03-14 13:00:00.000", (2026, 3, 14), (2026, 3, 14, 12)),
        ("12-31 23:00:00.000", (2027, 1, 1), (2026, 12, 31, 22)),
        ("01-01 00:30:00.000", (2026, 12, 31), (2026, 12, 31, 23, 30)),
        ("02-29 12:00:00.000", (2028, 3, 1), (2028, 2, 29, 11)),
        ("02-29 12:00:00.000", (2027, 12, 1), (2028, 2, 29, 11)),
        ("2019-07-01 12:00:00.000", (2026, 1, 1), (2019, 7, 1, 10)),
        ("03-14 13:00:00.000 -0430", (2026, 3, 14), (2026, 3, 14, 17, 30)),
    ],
)
def test_a_missing_year_is_the_one_closest_to_the_capture(text, near, expected):
    assert placed(stamp(text, BERLIN), nanoseconds(*near)) == nanoseconds(*expected)


@pytest.mark.parametrize("text", ["10-25 02:30:00.000", "03-29 02:30:00.000", "02-29 12:00:00.000"])
def test_a_time_that_comes_twice_or_never_is_none(text):
    assert placed(stamp(text, BERLIN), nanoseconds(2026, 9, 1)) is None


def test_a_time_without_year_is_none_where_no_packet_has_a_time():
    assert placed(stamp("03-14 13:00:00.000", BERLIN), None) is None


@pytest.mark.parametrize("text", ["", "13:00:00", "2026-13-01 00:00:00", "03-14 25:00:00.000"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"expected|must be|range"):
        stamp(text, BERLIN)


def test_a_zone_must_be_known():
    assert zone_of(None) is None
    with pytest.raises(TimelineError, match="IANA"):
        zone_of("Mars/Olympus")
    with pytest.raises(TimelineError, match="--timezone"):
        stamp("03-14 13:00:00.000", zone_of(None))
