import sys

import pytest

from benchmarks import programs, tasks
from benchmarks.measure import RunError
from benchmarks.programs import Program
from benchmarks.results import Capture, conditions

SAYS_PACKETS = "import sys; print(open(sys.argv[1], 'rb').read().count(b'p'))"


# The first lines are for a shell, and a text for Python: no #! line can name a path with a space.
STAND_IN = f"""#!/bin/sh
'''exec' '{sys.executable}' "$0" "$@"
' '''
import json, os, pathlib, sys
if "--help" in sys.argv:
    print(os.environ["STAND_IN_HELP"])
    sys.exit()
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
file = {{"json": "analysis.json", "html": "report.html"}}[sys.argv[sys.argv.index("--format") + 1]]
read = len(pathlib.Path(sys.argv[2]).read_bytes())
out.mkdir(exist_ok=True)
content = {{"inputs": [{{"packets": read}}], "outputs": [{{"file": file}}]}}
(out / "manifest.json").write_text(json.dumps(content))
seen = pathlib.Path(os.environ["STAND_IN_SEEN"])
with seen.open("a") as file:
    file.write(f"{{read}} {{os.environ.get('NUMBA_CACHE_DIR')}}\\n")
"""


@pytest.fixture
def seen(tmp_path, monkeypatch):
    path = tmp_path / "stand-in"
    path.write_text(STAND_IN)
    path.chmod(0o755)
    monkeypatch.setattr(programs, "phonehome_path", lambda: str(path))
    monkeypatch.setenv("STAND_IN_SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("STAND_IN_HELP", "Commands: analyze")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path / "seen"


def counter(name, code, *, share=1):
    return Program(
        name=name,
        command=lambda capture, _: [sys.executable, "-I", "-S", "-c", code, str(capture)],
        asks_version=(sys.executable, "--version"),
        how_to_get="",
        counted=programs._logged(r"^(\d+)$"),
        share=share,
    )


@pytest.fixture
def captures(tmp_path, monkeypatch):
    def capture(packets, flows, *, is_pcapng=False):
        path = tmp_path / f"{packets}x{flows}{is_pcapng}"
        path.write_bytes(b"p" * packets)
        return Capture(path, packets, flows)

    monkeypatch.setattr(tasks, "capture", capture)
    return capture


@pytest.fixture
def plan(tmp_path):
    said = []

    def with_programs(*peers, has_phonehome=False):
        return tasks.Plan(
            packets=100,
            flows=10,
            rounds=2,
            shared=conditions(tmp_path),
            peers=peers,
            has_phonehome=has_phonehome,
            scratch=tmp_path,
            say=said.append,
        )

    with_programs.said = said
    return with_programs


def test_each_peer_that_read_every_packet_has_a_row(captures, plan):
    rows = tasks.analysis(
        plan(counter("whole", SAYS_PACKETS), counter("tenth", SAYS_PACKETS, share=10))
    )
    assert captures
    assert [(row.program, row.packets, row.flows) for row in rows] == [
        ("whole", 100, 10),
        ("tenth", 10, 1),
    ]
    assert {row.ratio for row in rows} == {None}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print(99)", "expected 100 packets, got 99"),
        ("pass", "expected a line like"),
        ("raise SystemExit(2)", "expected exit status 0, got 2"),
    ],
)
def test_a_peer_that_did_not_is_named_and_left_out(captures, plan, code, reason):
    rows = tasks.analysis(plan(counter("whole", SAYS_PACKETS), counter("part", code)))
    assert captures
    assert [row.program for row in rows] == ["whole"]
    assert len(plan.said) == 1
    assert reason in plan.said[0]


def test_a_phonehome_that_does_nothing_gets_no_row(captures, plan, monkeypatch, tmp_path):
    idle = tmp_path / "phonehome"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    monkeypatch.setattr(programs, "phonehome_path", lambda: str(idle))
    assert captures
    with pytest.raises(RunError, match=r"phonehome: expected manifest\.json"):
        tasks.analysis(plan(has_phonehome=True))


def test_an_older_result_does_not_pass_for_a_new_one(captures, plan, monkeypatch, tmp_path):
    idle = tmp_path / "phonehome"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    monkeypatch.setattr(programs, "phonehome_path", lambda: str(idle))
    (tmp_path / programs.OUTPUT).mkdir()
    (tmp_path / programs.OUTPUT / "manifest.json").write_text(
        '{"inputs": [{"packets": 100}], "outputs": [{"file": "analysis.json"}]}'
    )
    with pytest.raises(RunError, match=r"phonehome: expected manifest\.json"):
        tasks.prove(plan(), programs.phonehome(), captures(100, 10))


def test_a_peer_beside_phonehome_has_a_ratio_per_packet(captures, plan, seen):
    rows = tasks.analysis(plan(counter("tenth", SAYS_PACKETS, share=10), has_phonehome=True))
    assert captures
    assert seen.exists()
    assert rows[0].ratio == 1
    of_medians = 10 * rows[1].wall_s / rows[0].wall_s  # the ratio is of pairs, on a busy machine
    assert of_medians / 4 < rows[1].ratio < of_medians * 4


def test_growth_and_memory_keep_the_flows(captures, plan, seen):
    grown, remembered = tasks.growth(plan()), tasks.memory(plan())
    assert captures
    assert [(row.packets, row.flows) for row in grown] == [(100, 10), (200, 10)]
    assert [(row.packets, row.flows) for row in remembered] == [(100, 10), (1_000, 10)]
    assert seen.read_text().split()[::2][:6] == ["100", "200", "100", "200", "100", "200"]


def test_other_captures_have_as_many_packets(captures, plan, seen):
    rows = tasks.variants(plan())
    assert captures
    assert seen.exists()
    assert [(row.task, row.packets, row.flows) for row in rows] == [
        ("pcapng", 100, 10),
        ("many flows", 100, 10),
    ]


def test_each_first_report_compiles_into_a_cache_of_its_own(captures, plan, seen):
    rows = tasks.start(plan())
    caches = [line.split()[1] for line in seen.read_text().splitlines()]
    assert captures
    assert [row.task for row in rows] == ["first report", "small report", "help"]
    assert len(caches) == 5
    assert [caches[0], *caches[3:]] == ["None"] * 3
    assert len({*caches[:3]}) == 3


def test_a_help_text_that_helps_nobody_is_refused(captures, plan, seen, monkeypatch):
    monkeypatch.setenv("STAND_IN_HELP", "")
    assert captures
    assert not seen.exists()
    with pytest.raises(RunError, match="expected the command analyze in its help"):
        tasks.start(plan())


def test_a_capture_is_named_for_its_size_and_for_the_generator(monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, "DATA", tmp_path)
    made = tasks.capture(600, 30)
    first = made.path.stat().st_mtime_ns
    assert made.path.name == f"600x30-{tasks._generator_digest()}.pcap"
    assert tasks.capture(600, 30).path.stat().st_mtime_ns == first
    assert tasks.capture(600, 30, is_pcapng=True).path.suffix == ".pcapng"
