import json
import re
from datetime import UTC, datetime, timedelta, timezone
from importlib import metadata

import pytest

from phonehome.reports.exports import manifest as provenance
from phonehome.reports.words import version as version_words

STARTED = datetime(2026, 3, 15, 13, 0, tzinfo=timezone(timedelta(hours=1)))
FINISHED = datetime(2026, 3, 15, 12, 0, 3, tzinfo=UTC)


def manifest(analysis, outputs=()):
    content = provenance.manifest(analysis, outputs, started=STARTED, finished=FINISHED)
    return json.loads(content)


def test_the_wall_clock_is_in_utc(rich):
    content = manifest(rich)
    assert content["started"] == "2026-03-15T12:00:00.000000Z"
    assert content["finished"] == "2026-03-15T12:00:03.000000Z"


def test_each_input_has_its_hash_and_size(rich):
    (entry,) = manifest(rich)["inputs"]
    assert entry["sha256"] == rich.captures["sha256"][0]
    assert entry["file_bytes"] == rich.captures["file_bytes"][0]
    assert entry["first_time"] == "2026-03-14T09:00:00.000000000Z"


def test_databases_settings_and_limits_are_whole(rich):
    content = manifest(rich)
    assert [entry["name"] for entry in content["databases"]] == ["dbip", "ipfire"]
    assert content["settings"]["timelines"] == ["/home/someone/phases.csv"]
    assert content["settings"]["limits"]["record_bytes"] == rich.settings.limits.record_bytes
    assert content["limits_hit"] == {"oddities": 4}


def test_versions_name_every_package_that_can_change_a_result(rich):
    versions = manifest(rich)["versions"]
    assert set(versions) == {"python", *provenance.DEPENDENCIES}
    assert versions["polars"] == metadata.version("polars")


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(provenance, "DEPENDENCIES", ("no-such-package-here",))
    assert provenance.versions()["no-such-package-here"] is None


def test_outputs_are_listed_in_order(rich):
    outputs = [provenance.Output("a.json", "0" * 64, 3), provenance.Output("b.csv", "1" * 64, 4)]
    assert [entry["file"] for entry in manifest(rich, outputs)["outputs"]] == ["a.json", "b.csv"]


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_version_is_known_installed_or_not(monkeypatch, is_installed):
    def answer(_):
        if is_installed:
            return "1.2.3"
        raise metadata.PackageNotFoundError

    version_words.version.cache_clear()
    monkeypatch.setattr(metadata, "version", answer)
    assert re.fullmatch(r"\d+\.\d+\.\d+", version_words.version())
    version_words.version.cache_clear()
