"""The wheel, installed beside modules that are called as our rooms are."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "captures" / "samples"
FOREIGN = ("analyzer", "captures", "cli", "errors", "geo", "library", "reports")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", ROOT, "-w", folder],
        check=True,
    )  # fmt: skip
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def installed(wheel, tmp_path):
    """Runs Python with the wheel alone, in a folder full of foreign modules."""
    site, work = tmp_path / "site", tmp_path / "work"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    work.mkdir()
    for name in FOREIGN:
        (work / f"{name}.py").write_text(f"raise SystemExit('the wrong {name}')")

    def run(*words):
        return subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=work,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
def test_the_wheel_has_one_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"phonehome"}
    for name in (
        "__init__.py",
        "__main__.py",
        "cli.py",
        "errors.py",
        "py.typed",
        "claims/strict-privacy.toml",
    ):
        assert f"phonehome/{name}" in names
    assert not any("samples" in name for name in names)


@pytest.mark.slow
def test_it_works_beside_modules_that_are_called_as_its_rooms_are(installed):
    old, new = SAMPLES / "parrot-1.0", SAMPLES / "parrot-2.0"
    script = f"import phonehome; print(phonehome.__file__, phonehome.analyze({str(old)!r}))"
    library = installed("-c", script)
    assert library.returncode == 0, library.stderr
    assert "site/phonehome/__init__.py" in library.stdout
    assert "Analysis of rep1.pcap" in library.stdout
    command = ("-m", "phonehome")
    assert installed(*command, "--help").stdout.startswith("Usage: phonehome ")
    analyzed = installed(*command, "analyze", old, "-o", "out", "--quiet")
    assert analyzed.returncode == 0, analyzed.stderr
    checked = installed(*command, "check", "out", "--claims", "strict-privacy", "--quiet")
    assert checked.returncode == 1, checked.stderr
    compared = installed(*command, "compare", "--base", old, "--new", new, "-o", "two", "--quiet")
    assert compared.returncode == 0, compared.stderr
