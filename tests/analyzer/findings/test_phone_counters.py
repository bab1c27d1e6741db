"""What phones counted: `dumpsys netstats` of several versions, CSV, and what is damaged."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.analyzer.findings.phone_counters import (
    NOBODY,
    Counted,
    CountersError,
    Reading,
    between,
    read_counters,
)

MODERN = """\
UID stats:
  Pending bytes: 1234
  History since boot:
  ident=[{{type=1, ratType=ALL, wifiNetworkKey="home"wifi, metered=false, defaultNetwork=true, \
oemManaged=OEM_NONE, subId=-1}}] uid=10144 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1757851200 rb=1000 rp=4 tb={background} tp=9 op=0
      st=1757858400 rb=500 rp=4 tb=100 tp=9 op=0
  ident=[{{type=0, subscriberId=310260..., metered=true}}] uid=10144 set=FOREGROUND tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1757851200 rb=20 rp=1 tb={front} tp=1 op=0
  ident=[{{type=17, metered=false}}] uid=10144 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1757851200 rb=7777 rp=4 tb=7777 tp=9 op=0
  ident=[{{type=1}}] uid=10144 set=DBG_VPN_IN tag=0x0
      st=1757851200 rb=7777 rp=4 tb=7777 tp=9 op=0
  ident=[{{type=1}}] uid=-1 set=ALL tag=0x0
      st=1757851200 rb=7777 rp=4 tb=7777 tp=9 op=0
UID tag stats:
  ident=[{{type=1}}] uid=10144 set=DEFAULT tag=0xffffff01
      st=1757851200 rb=7777 rp=4 tb=7777 tp=9 op=0
"""
OLD = """\
UID stats:
  ident=[[type=WIFI, subType=COMBINED, networkId="x"]] uid=10007 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200000
      bucketStart=1379394000000 activeTime=7200000 rxBytes=30 rxPackets=1 txBytes=40 txPackets=1 \\
operations=0
"""
LIVE = """\
  mAppUidStatsMap:
    uid rxBytes rxPackets txBytes txPackets
    10242 321596 726 {sent} 706
    1000 5 1 6 1
  mIfaceStatsMap:
    1 2 3 4 5
"""


def read(tmp_path, text):
    path = tmp_path / "netstats.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_counters(path)


def test_history_counts_each_byte_once(tmp_path):
    found = read(tmp_path, MODERN.format(background=3_000, front=250))
    assert found == Reading({}, {(10144, None): Counted(3_350, 1_520, 250, bucket_seconds=7_200)})


def test_older_versions_are_read_too(tmp_path):
    assert read(tmp_path, OLD).history == {(10007, None): Counted(40, 30, 0, bucket_seconds=7_200)}


def test_live_counters_are_read(tmp_path):
    assert read(tmp_path, LIVE.format(sent=118_381)).live == {
        (10242, None): Counted(118_381, 321_596),
        (1000, None): Counted(6, 5),
    }


def test_a_person_may_write_them_down(tmp_path):
    found = read(tmp_path, "app,up_bytes,down_bytes\nChat,100,20\nChat,5,5\nMail, 7, 8\n")
    assert found.live == {(NOBODY, "Chat"): Counted(105, 25), (NOBODY, "Mail"): Counted(7, 8)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no counters"),
        ("UID stats:\n  nothing\n", "no counters"),
        (b"\xff\xfe\0\0", "no counters"),
        ("app,up_bytes,down_bytes\nChat,many,2\n", "line 2: whole numbers"),
        ("app,up_bytes,down_bytes\nChat,-1,2\n", "line 2: an app"),
        ("app,up_bytes,down_bytes\n,1,2\n", "line 2: an app"),
        ("app,up_bytes,down_bytes\nChat,1\n", "line 2: whole numbers"),
        ("app,up_bytes,down_bytes\nChat,1,9999999999999999999\n", "more than any phone counts"),
        (LIVE.format(sent="9" * 18), "more than any phone counts"),
        ("app,up_bytes,down_bytes\n" + f"Chat,{2**50},0\n" * 2, f"{2**51} bytes are more than any"),
        ("app,bytes\n" + f"Chat,{2**50}\n" * 2, f"{2**51} bytes are more than any"),
        (
            "app,up_bytes,down_bytes\n" + "".join(f"x{n},{2**50},{2**50}\n" for n in range(513)),
            f"{513 * 2**51} bytes are more than any phone counts",
        ),
    ],
)
def test_what_holds_no_counters_is_refused_in_a_line(tmp_path, text, told):
    with pytest.raises(CountersError, match=told) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_an_app_may_be_written_down_without_directions(tmp_path):
    before = read(tmp_path, "app,bytes\nChat,1200000\nMail,7\n")
    after = read(tmp_path, "app, bytes\nChat,1500000\nMail,3\nMaps,5\n")
    assert before.live == {
        (NOBODY, "Chat"): Counted(0, 0, both=1_200_000),
        (NOBODY, "Mail"): Counted(0, 0, both=7),
    }
    assert between(before, after) == {
        (NOBODY, "Chat"): Counted(0, 0, both=300_000),
        (NOBODY, "Mail"): None,
        (NOBODY, "Maps"): Counted(0, 0, both=5),
    }


def test_between_two_readings_is_what_was_added(tmp_path):
    before = read(tmp_path, MODERN.format(background=3_000, front=250))
    after = read(tmp_path, MODERN.format(background=4_000, front=300))
    assert between(before, after) == {(10144, None): Counted(1_050, 0, 50, bucket_seconds=7_200)}


def test_live_counters_count_where_both_have_them(tmp_path):
    both = LIVE.format(sent=100) + MODERN.format(background=1, front=1)
    later = LIVE.format(sent=150) + MODERN.format(background=9_000, front=1)
    found = between(read(tmp_path, both), read(tmp_path, later))
    assert found[10242, None] == Counted(50, 0)
    assert (10144, None) not in found
    only = between(read(tmp_path, MODERN.format(background=1, front=1)), read(tmp_path, later))
    assert only[10144, None].up == 8_999


def test_a_counter_that_fell_was_reset_and_a_new_one_began_at_nothing(tmp_path):
    before, after = Reading({(1, None): Counted(9, 9)}, {}), read(tmp_path, LIVE.format(sent=7))
    found = between(before, Reading({**after.live, (1, None): Counted(3, 9)}, {}))
    assert found[1, None] is None
    assert found[10242, None] == Counted(7, 321_596)


@given(st.binary(max_size=300))
def test_no_octets_raise_anything_else(tmp_path_factory, octets):
    path = tmp_path_factory.mktemp("c") / "x"
    path.write_bytes(MODERN.format(background=1, front=2).encode()[: len(octets) * 3] + octets)
    with suppress(CountersError):
        read_counters(path)
