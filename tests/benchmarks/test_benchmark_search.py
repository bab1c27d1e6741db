from benchmarks.search import VALUES, search


def test_all_octets_of_a_file_are_searched(tmp_path, capsys):
    path = tmp_path / "octets"
    path.write_bytes(bytes(range(256)) * 4_096)
    assert search(path) == 1 << 20
    octets, wall, cpu = map(float, capsys.readouterr().out.split())
    assert octets == 1 << 20
    assert wall > 0
    assert cpu > 0


def test_twenty_identifiers_are_searched_for():
    assert sum(map(len, VALUES.values())) == 20
