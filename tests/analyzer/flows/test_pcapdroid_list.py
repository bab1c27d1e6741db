"""PCAPdroid's list of connections gives flows their apps, by ends and time."""

import time
from datetime import UTC, datetime

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.flows.pcapdroid_list import ConnectionsError, read_connections
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.timeline.spans import TimelineError
from phonehome.cli import main
from tests.captures.building import PHONE, RAW, START, Ipv4, Ipv6, Pcap, Record, Tcp, Udp
from tests.captures.carriers import trailer

HEAD = (
    "IPProto,SrcIP,SrcPort,DstIP,DstPort,UID,App,Proto,Status,Info,BytesSent,BytesRcvd,PktsSent,"
    "PktsRcvd,FirstSeen,LastSeen\n"
)
SECOND = 1_000_000_000
REMOTE = "8.8.4.4"
FIRST = START // 1_000_000


def line(port=50_000, app="Parrot", *, begin=FIRST, end=None, to=REMOTE, proto=6):  # noqa: PLR0913 - what one line says
    end = begin if end is None else end
    ends = f"{proto},{PHONE},{port},{to},443"
    return f'{ends},10001,"{app}",TLS,Closed,a.example,5,0,1,0,{begin},{end}\n'


def capture(tmp_path, *packets):
    """Each packet so many seconds after the first."""
    path = tmp_path / "phone.pcap"
    path.write_bytes(
        Pcap(RAW).file([Record(bytes(packet), time=START + at * SECOND) for at, packet in packets])
    )
    return path


def out(port=50_000, *, sequence=1):
    return Ipv4(Tcp(b"hello", port, 443, sequence=sequence), source=PHONE, to=REMOTE)


def listed(tmp_path, text, name="list.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def analysed(tmp_path, packets, *texts, **more):
    lists = tuple(listed(tmp_path, text, f"{n}.csv") for n, text in enumerate(texts))
    found = analyze([capture(tmp_path, *packets)], Settings(connections=lists, **more))
    return found, found.flows.select("app", "app_source", "uid").rows()


def said(found):
    return [note for note in found.notes if "of the lists" in note or "passed over" in note]


def test_a_connection_names_the_app_of_its_flow(tmp_path):
    found, owners = analysed(tmp_path, [(0, out()), (1, out(50_001))], HEAD + line())
    assert owners == [("Parrot", "connections", 10_001), (None, None, None)]
    (note,) = said(found)
    assert note.startswith("0 of 1 connections of the lists are in no capture; 1 of 2 flows")


def test_what_all_fits_is_not_told(tmp_path):
    found, owners = analysed(tmp_path, [(0, out())], HEAD + line())
    assert owners == [("Parrot", "connections", 10_001)]
    assert said(found) == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("\n", "\r\n") + line().replace("\n", "\r\n"),
        "\ufeff" + HEAD + line(),
        (HEAD + line()).replace(",", ";"),
        HEAD.lower() + line(),
        HEAD + line(proto="TCP"),
        HEAD + line(app="Par\0rot"),
        "Extra," + HEAD + "anything," + line(),
        HEAD.replace("LastSeen", "LastSeen,Package").replace("App", "Label")
        + line(app='One, ""two""\nthree').rstrip("\n")
        + ",Parrot\n",
        HEAD + line(begin=FIRST // 1_000),
        HEAD + line(begin=datetime.fromtimestamp(START / 1e9, UTC).isoformat()),
        HEAD + line(begin=datetime.fromtimestamp(START / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")),
    ],
)
def test_every_form_of_a_list_is_read(tmp_path, text):
    assert analysed(tmp_path, [(0, out())], text)[1] == [("Parrot", "connections", 10_001)]


def test_ports_that_are_used_again_are_told_apart_by_time(tmp_path):
    text = HEAD + line(app="Early") + line(app="Late", begin=FIRST + 60_000)
    assert analysed(tmp_path, [(60, out())], text)[1] == [("Late", "connections", 10_001)]
    late = HEAD + line(begin=FIRST + 6_000)
    assert analysed(tmp_path, [(0, out())], late)[1] == [(None, None, None)]
    near = HEAD + line(begin=FIRST + 4_900)
    assert analysed(tmp_path, [(0, out())], near)[1] == [("Parrot", "connections", 10_001)]


def test_the_connection_that_shares_most_time_counts(tmp_path):
    text = HEAD + line(app="Short") + line(app="Long", end=FIRST + 50_000)
    packets = [(0, out()), (40, out(sequence=6))]
    assert analysed(tmp_path, packets, text)[1] == [("Long", "connections", 10_001)]


def test_times_without_a_zone_need_one(tmp_path):
    local = datetime.fromtimestamp(START / 1e9 + 3_600, UTC).strftime("%Y-%m-%d %H:%M:%S")
    other = datetime.fromtimestamp(START / 1e9 + 7_200, UTC).strftime("%Y-%m-%d %H:%M:%S")
    text = HEAD + line(app="Right", begin=local) + line(app="Wrong", begin=other)
    packets = [(0, out())]
    placed = analysed(tmp_path, packets, text, timezone="Europe/Berlin")[1]
    assert placed == [("Right", "connections", 10_001)]
    assert analysed(tmp_path, packets, text)[1] == [(None, None, None)]


def test_without_times_only_one_app_can_be_meant(tmp_path):
    same = HEAD + line(begin="") + line(begin="")
    assert analysed(tmp_path, [(0, out())], same)[1] == [("Parrot", "connections", 10_001)]
    two = HEAD + line(begin="") + line(app="Other", begin="")
    assert analysed(tmp_path, [(0, out())], two)[1] == [(None, None, None)]


def test_both_versions_of_ip_and_udp_are_found(tmp_path):
    packet = Ipv6(Udp(b"question", 50_002, 443))
    source, to = packet.source, packet.to
    text = HEAD + (
        f"17,{source},50002,{str(to).upper()},443,10001,Parrot,DNS,,,,,,,{FIRST},{FIRST}\n"
    )
    assert analysed(tmp_path, [(0, packet)], text)[1] == [("Parrot", "connections", 10_001)]


def test_an_owner_that_the_list_does_not_know_names_nobody(tmp_path):
    text = HEAD + line(app="Unknown").replace(",10001,", ",-1,")
    assert analysed(tmp_path, [(0, out())], text)[1] == [(None, None, None)]


def test_a_zone_that_nobody_knows_is_one_line(tmp_path):
    with pytest.raises(TimelineError, match="an IANA name expected"):
        read_connections([listed(tmp_path, HEAD + line())], "Mars/Olympus")


def test_a_list_of_packages_says_more(tmp_path):
    packages = listed(tmp_path, "package:com.parrot.app uid:10001\n", "packages.txt")
    owners = analysed(tmp_path, [(0, out())], HEAD + line(), packages=(packages,))[1]
    assert owners == [("com.parrot.app", "connections", 10_001)]


def test_lines_that_name_nothing_are_counted(tmp_path):
    found, owners = analysed(
        tmp_path, [(0, out())], HEAD + line() + "junk\n" + line(to="nowhere") + line(proto=999)
    )
    assert owners == [("Parrot", "connections", 10_001)]
    assert said(found) == [
        "0.csv: 3 lines name no connection and were passed over, the first is line 3."
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "expected PCAPdroid's list"),
        (b"a,b\n1,2\n", "found no column ipproto, srcip"),
        (HEAD, "no connection in it"),
        (HEAD + "junk\n", "no connection in it"),
        ("SrcIP," + HEAD + "1," + line(), "one name"),
        (bytes(range(256)) * 20, "PCAPdroid"),
    ],
)
def test_what_is_no_list_is_one_line(tmp_path, text, message):
    with pytest.raises(ConnectionsError, match=message) as error:
        read_connections([listed(tmp_path, text)], None)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ConnectionsError, match="cannot be read"):
        read_connections([tmp_path / "none.csv"], None)


def test_the_command_line_takes_lists_and_refuses_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = str(capture(tmp_path, (0, out())))
    good, bad = listed(tmp_path, HEAD + line()), listed(tmp_path, "a,b\n1,2\n", "bad.csv")
    ends = []
    for given in (good, bad):
        words = ["analyze", path, "--connections", str(given), "--format", "csv", "-o", given.stem]
        monkeypatch.setattr("sys.argv", ["phonehome", *words])
        with pytest.raises(SystemExit) as leaving:
            main()
        ends.append(leaving.value.code)
    assert ends == [0, 2]
    assert "connections,10001" in (tmp_path / "list/flows.csv").read_text()
    assert "bad.csv: expected PCAPdroid's list" in capsys.readouterr().err
    assert not (tmp_path / "bad").exists()


def test_many_connections_take_no_time(tmp_path):
    text = HEAD + "".join(line(1_024 + n % 60_000, begin=FIRST + n) for n in range(100_000))
    path = listed(tmp_path, text)
    began = time.perf_counter()
    read = read_connections([path], None)
    assert len(read.table) == 100_000
    assert time.perf_counter() - began < 3


def test_what_the_capture_says_stays(tmp_path):
    path = tmp_path / "phone.pcap"
    frames = [Record(trailer(bytes(out()), 10_009, b"Owl"), time=START)]
    path.write_bytes(Pcap(1).file(frames))
    lists = (listed(tmp_path, HEAD + line()),)
    found = analyze([path], Settings(connections=lists))
    assert found.flows.select("app", "uid").rows() == [("Owl", 10_009)]
    odd = found.oddities.filter(pl.col("kind") == "connections_disagree")
    assert odd.select("frame", "layer").rows() == [(1, "app")]
