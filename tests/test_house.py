"""Rules of the house: each module has its test module, each column its words, arrows one way."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import dataframely as dy
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("analyzer", "captures", "geo", "reports")
TABLES = ("phonehome.analyzer.tables", "phonehome.captures.tables", "phonehome.geo.tables")
HELD_ELSEWHERE = {
    "analyzer/behaviour.py": ("analyzer/test_second_look.py", "puts modules together"),
    "analyzer/carried.py": ("analyzer/test_tokens.py", "each place where a value may stand"),
    "analyzer/claims_child.py": ("analyzer/test_claims_queries.py", "it runs in each test there"),
    "analyzer/claims_remarks.py": ("analyzer/test_claims.py", "each remark beside its claim"),
    "analyzer/claims_tables.py": ("analyzer/test_claims.py", "each claim there is asked of them"),
    "analyzer/compared.py": ("analyzer/test_comparison.py", "what every comparison there gives"),
    "analyzer/contacts.py": ("analyzer/test_rates.py", "held to the ledger's bytes"),
    "analyzer/events.py": ("analyzer/test_states.py", "values only; each kind is used there"),
    "analyzer/quality.py": ("reports/test_quality.py", "each count beside its sentence"),
    "analyzer/saved_tables.py": ("analyzer/test_saved.py", "what is saved is read through it"),
    "analyzer/settings.py": ("analyzer/test_analysis.py", "values only; each is used there"),
    "analyzer/spans.py": ("analyzer/test_timelines.py", "values only; each is read there"),
    "analyzer/tables.py": ("test_house.py", "the contract: described, and validated in every run"),
    "captures/adding.py": ("captures/test_capture_sums.py", "kernel, against its slow twin"),
    "captures/compiled.py": ("captures/test_passes.py", "the door to numba, in each of its passes"),
    "captures/compiling.py": ("captures/test_passes.py", "the same"),
    "captures/contacts.py": ("captures/test_capture_sums.py", "against a slow twin"),
    "captures/conversations.py": ("captures/test_packets.py", "kernel, against its slow twin"),
    "captures/cuts.py": ("captures/test_names.py", "kernel; what it cuts is read there"),
    "captures/decoding.py": ("test_bad_input.py", "cut at every byte; windows in test_analysis"),
    "captures/ends.py": ("captures/test_packets.py", "turns kernel state into a table"),
    "captures/errors.py": ("test_bad_input.py", "one exception; each way to raise it is there"),
    "captures/hello_lists.py": ("captures/test_hellos.py", "read by the loop, and in pieces"),
    "captures/layout.py": ("captures/test_packets.py", "places in arrays"),
    "captures/limits.py": ("analyzer/test_analysis.py", "values only; they bite there"),
    "captures/memory.py": ("captures/test_packets.py", "memory of the kernels"),
    "captures/opening/connections.py": ("captures/opening/test_capture.py", "each piece is its"),
    "captures/opening/opened.py": ("captures/opening/test_capture.py", "values only"),
    "captures/packages.py": ("captures/test_owners.py", "values only"),
    "captures/pcap.py": ("captures/test_containers.py", "classic files, each field of them"),
    "captures/pipeline.py": ("captures/test_packets.py", "each reading goes through it"),
    "captures/reading.py": ("captures/test_packets.py", "each reading of a test goes through it"),
    "captures/records.py": ("captures/test_containers.py", "kernels that find records"),
    "captures/recurring.py": ("analyzer/test_timers.py", "kernels, against their slow twins"),
    "captures/search/budget.py": ("captures/search/test_looking.py", "what it bounds"),
    "captures/search/hits.py": ("captures/search/test_searching.py", "each row of it"),
    "captures/strange.py": ("captures/test_packets.py", "oddities, against the slow twin"),
    "captures/words.py": ("analyzer/test_hosts.py", "closed lists"),
    "reports/claims_files.py": ("test_cli_check.py", "each kind of file is written there"),
    "reports/screen.py": ("test_cli.py", "what the commands print"),
}
"""Modules without a test module of their own: where they are held, and why there."""

PASSED_ON = {"captures/pipeline.py": "what a thread raises is raised again by who waits for it"}
"""Modules that may catch everything, because they hand it on whole."""

STARTING = {
    "analyzer/claims_queries.py": "queries run in a process of ours, which it can end",
    "captures/compiled.py": "compiles in a process beside the reading",
    "captures/opening/tshark.py": "runs tshark, which opens what keys are given for",
}
"""Modules that may start a program."""

TALKING = {"geo/fetching.py": "for the command geo update alone"}
"""Modules that may open a connection."""


def modules():
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "path", [path for path in modules() if path.stem != "__init__"], ids=name_of
)
def test_each_module_has_its_test_module(path):
    room = path.parent.name
    own = [
        ROOT / "tests" / path.parent.relative_to(ROOT) / f"test_{before}{path.stem}.py"
        for before in ("", f"{room}_", f"{room.removesuffix('s')}_")
    ]
    if not any(test.exists() for test in own):
        assert name_of(path) in HELD_ELSEWHERE, f"{own[0]} is missing"


@pytest.mark.parametrize("name", HELD_ELSEWHERE)
def test_what_is_held_elsewhere_is_there(name):
    test, reason = HELD_ELSEWHERE[name]
    assert (ROOT / name).exists()
    assert (ROOT / "tests" / test).exists()
    assert reason


def test_the_rooms_are_all_the_packages_there_are():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*ROOMS, "benchmarks"} & packages
    assert set(ROOMS) <= packages


def test_test_modules_have_names_of_their_own():
    """Two of one name cannot be collected together."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_tests_are_named_alike_whenever_they_are_collected():
    """Octets in a test's parameters are part of its name, and gzip writes the hour into them."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "gzip.compress":
                assert path.name == "small_captures.py", f"{path}:{node.lineno}: use gzipped"


def schemas():
    for module in TABLES:
        for thing in vars(importlib.import_module(module)).values():
            if isinstance(thing, type) and issubclass(thing, dy.Schema) and thing is not dy.Schema:
                yield thing


@pytest.mark.parametrize(
    "schema", dict.fromkeys(schemas()), ids=lambda one: f"{one.__module__}.{one.__name__}"
)
def test_each_table_and_column_is_described(schema):
    assert schema.__doc__
    for name, column in schema.columns().items():
        words = column.description
        assert words, name
        assert words == words.strip(), name
        if column.nullable:
            assert "null" in words.lower(), f"{name}: what does null mean?"


@pytest.mark.parametrize("schema", dict.fromkeys(schemas()), ids=lambda one: one.__name__)
def test_times_are_utc_to_the_nanosecond_and_booleans_say_so(schema):
    for name, column in schema.columns().items():
        if isinstance(column, dy.Datetime):
            assert (column.time_unit, str(column.time_zone)) == ("ns", "UTC"), name
        if isinstance(column, dy.Duration):
            assert column.time_unit == "ns", name
        if isinstance(column, dy.Bool):
            assert name.startswith("is_"), name


def test_the_page_of_tables_is_current():
    script = ROOT / "scripts" / "tables_page.py"
    if not script.exists():
        pytest.skip("there is no page of tables")
    checked = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def imported(path):
    """Top-level names of what a module imports, of phonehome what is next below it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("phonehome.").partition(".")[0] for alias in node.names
            )
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.removeprefix("phonehome.").partition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_room_imports_the_command_line_or_tests(path):
    assert not {"cli", "tests", "scripts", "benchmarks"} & set(imported(path))


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_room_can_talk_to_a_network_or_run_a_program(path):
    talking = {"urllib", "http", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "ssl"}
    unpacking = {"pickle", "shelve"}
    running = {"subprocess", "multiprocessing", "pyshark"}
    forbidden = talking | running | unpacking
    if name_of(path) in TALKING:
        forbidden -= talking
    if name_of(path) in STARTING:
        forbidden -= {"subprocess"}
    assert not forbidden & set(imported(path))
    assert "marshal.load" not in path.read_text(encoding="utf-8")


def test_only_the_update_of_databases_can_open_a_connection():
    users = {
        name_of(path)
        for path in modules()
        if {"phonehome.geo.fetching", "phonehome.geo.updates"}
        & {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
    }
    assert users == {"geo/updates.py"}


def test_data_walks_one_way_through_the_rooms(tmp_path):
    program = Path(sys.executable).parent / "lint-imports"
    if not program.exists():
        pytest.skip("import-linter is not installed")
    house = tmp_path / "phonehome"
    house.mkdir()
    (house / "__init__.py").symlink_to(ROOT / "phonehome.py")
    for name in (*ROOMS, "cli.py"):
        (house / name).symlink_to(ROOT / name)
    checked = subprocess.run(
        [program, "--config", ROOT / "pyproject.toml", "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_exception_is_caught_without_a_name(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}"
            names = {ast.unparse(one) for one in ast.walk(node.type) if isinstance(one, ast.Name)}
            if name_of(path) in PASSED_ON:
                continue
            is_raised_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            assert is_raised_again or not names & {"Exception", "BaseException"}, node.lineno
