"""What is written is read back as it was, be it as hostile as can be."""

import pytest

import phonehome
from phonehome.reports.exports.to_json import exported


@pytest.mark.parametrize("formats", ["json", "parquet"])
@pytest.mark.parametrize("which", ["rich", "empty", "single"])
def test_every_table_is_loaded_as_it_was_written(request, tmp_path, which, formats):
    made = request.getfixturevalue(which)
    phonehome.write(made, tmp_path / "out", formats=formats)
    loaded = phonehome.load(tmp_path / "out")
    for name, table in exported(made).items():
        assert getattr(loaded, name).equals(table), name
        assert getattr(loaded, name).schema == table.schema, name
    assert (loaded.summary, loaded.settings) == (made.summary, made.settings)
    assert (loaded.notes, loaded.limits_hit) == (made.notes, made.limits_hit)
