import pytest

from phonehome.analyzer.user_files import octets_of


class RefusedError(ValueError):
    """What a caller raises."""


def test_a_file_up_to_the_bound_is_read_whole(tmp_path):
    path = tmp_path / "list"
    path.write_bytes(b"\0" * 10)
    assert octets_of(path, 10, RefusedError) == b"\0" * 10


def test_a_larger_one_is_refused_with_its_name_and_the_bound(tmp_path):
    path = tmp_path / "list"
    path.write_bytes(b"\0" * 11)
    with pytest.raises(RefusedError, match=r"list: larger than 10 bytes$"):
        octets_of(path, 10, RefusedError)


def test_what_cannot_be_read_is_refused_with_the_cause(tmp_path):
    with pytest.raises(RefusedError, match="cannot be read: Is a directory"):
        octets_of(tmp_path, 10, RefusedError)
    with pytest.raises(RefusedError, match="cannot be read: No such file"):
        octets_of(tmp_path / "none", 10, RefusedError)
