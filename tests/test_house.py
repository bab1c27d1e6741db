"""Rules of the house: each module has its test module, each column its words, arrows one way."""

import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import dataframely as dy
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("analyzer", "captures", "geo", "reports")
TABLES = ("phonehome.analyzer.tables", "phonehome.captures.tables", "phonehome.geo.tables")
HELD = re.compile(r"# Held by (tests/\S+\.py): (.+)\.")
"""First line of a module without a test module of its own: where it is held, and why there."""

PASSED_ON = {
    "captures/files/read_ahead.py": "what a thread raises is raised again by who waits for it"
}
"""Modules that may catch everything, because they hand it on whole."""

STARTING = {
    "analyzer/claims/ask.py": "queries run in a process of ours, which it can end",
    "captures/kernels/machine_code.py": "compiles in a process beside the reading",
    "captures/decryption/tshark.py": "runs tshark, which opens what keys are given for",
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
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    if held := HELD.fullmatch(first):
        assert (ROOT / held[1]).exists(), first
        return
    room, *folders = path.parent.relative_to(ROOT).parts
    before = ["_".join(("test", *folders[at:])) for at in range(len(folders) + 1)]
    before += [f"test_{room}", f"test_{room.removesuffix('s')}", "_".join(("test", room, *folders))]
    folder = ROOT / "tests" / path.parent.relative_to(ROOT)
    own = [folder / f"{name}_{path.stem}.py" for name in before]
    assert any(test.exists() for test in own), f"{folder / path.stem}: no test, no line Held by"


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


FACES = {
    "captures": ("captures", "captures.tables", "captures.words"),
    "geo": ("geo", "geo.tables"),
    "analyzer": (
        "analyzer",
        "analyzer.tables",
        "analyzer.settings",
        "analyzer.kinds",
        "analyzer.kinds.run",
        "analyzer.comparison.result",
    ),
    "reports": ("reports",),
}
"""What other rooms may import of a room."""

BEHIND = {"reports/exports/folder.py": {"captures.files.read_ahead"}}  # threads, no captures


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_rooms_meet_at_their_faces_alone(path):
    own = path.relative_to(ROOT).parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("phonehome."):
            module = node.module.removeprefix("phonehome.")
            room = module.partition(".")[0]
            if room in FACES and room != own and module not in BEHIND.get(name_of(path), ()):
                assert module in FACES[room], f"line {node.lineno}"


@pytest.mark.parametrize("room", ["analyzer", "captures", "reports"])
def test_a_face_has_what_it_names(room):
    face = importlib.import_module(f"phonehome.{room}")
    for name in face.__all__:
        assert not isinstance(getattr(face, name), ModuleType), name
    with pytest.raises(AttributeError):
        face.no_such_name  # noqa: B018 - asked for


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
    for name in (*ROOMS, "__main__.py", "cli.py", "errors.py"):
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
