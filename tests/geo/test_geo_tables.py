import pytest

from phonehome.geo.tables import SCOPES, Answers, Countries, Databases, Places


@pytest.mark.parametrize("table", [Places, Answers, Databases, Countries])
def test_every_column_is_described(table):
    for name, column in table.columns().items():
        assert column.description, name


@pytest.mark.parametrize("table", [Places, Answers, Databases, Countries])
def test_every_nullable_column_says_what_null_means(table):
    for name, column in table.columns().items():
        assert not column.nullable or "null" in column.description, name


def test_the_scopes_are_distinct():
    assert len(set(SCOPES)) == len(SCOPES)
