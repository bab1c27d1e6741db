import io
import random
import tarfile
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phonehome.geo.errors import UpdateError
from phonehome.geo.unpacking import unpack
from tests.small_captures import gzipped

DATABASE = random.Random(1).randbytes(70_000)  # noqa: S311 - a test need not be secret


def tar_of(*members):
    """A tar of (name, content), or of a ready made header."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            head = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            head.size = len(content)
            tar.addfile(head, io.BytesIO(content))
    return out.getvalue()


def unpacked(tmp_path, packed, most=200_000):
    (tmp_path / "packed").write_bytes(packed)
    unpack(tmp_path / "packed", tmp_path / "out", most)
    assert {path.name for path in tmp_path.iterdir()} == {"packed", "out"}
    return (tmp_path / "out").read_bytes()


def refusal(tmp_path, packed, most=200_000):
    with pytest.raises(UpdateError) as caught:
        unpacked(tmp_path, packed, most)
    assert {path.name for path in tmp_path.iterdir()} <= {"packed", "out", "packed.plain"}
    return str(caught.value)


@pytest.mark.parametrize(
    "packed",
    [
        DATABASE,
        gzipped(DATABASE),
        gzipped(DATABASE[:40_000]) + gzipped(DATABASE[40_000:]),
        tar_of(("GeoLite2_20260101/README", b"words"), ("x/GeoLite2.mmdb", DATABASE)),
        gzipped(tar_of(("x/GeoLite2.mmdb", DATABASE), ("other.mmdb", b"other"))),
        gzipped(tar_of(("../../../etc/evil.mmdb", DATABASE))),
    ],
)
def test_the_database_comes_out_however_it_was_packed(tmp_path, packed):
    assert unpacked(tmp_path, packed) == DATABASE


def test_links_and_devices_are_no_database(tmp_path):
    link = tarfile.TarInfo("a.mmdb")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert unpacked(tmp_path, tar_of((link, b""), ("b.mmdb", DATABASE))) == DATABASE
    assert "got one without" in refusal(tmp_path, tar_of((link, b"")))


def test_a_bomb_is_left_at_the_bound_with_little_memory(tmp_path):
    bomb = gzipped(bytes(80_000_000))
    tracemalloc.start()
    try:
        assert "at most 1000000 bytes unpacked" in refusal(tmp_path, bomb, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cut", [3, 10, 100, 30_000, -9, -1])
def test_gzip_that_ends_early_is_refused(tmp_path, cut):
    assert "ends early" in refusal(tmp_path, gzipped(DATABASE)[:cut])


def test_gzip_with_a_wrong_byte_is_refused(tmp_path):
    packed = bytearray(gzipped(b"A" * 1000 + DATABASE))
    packed[-6] ^= 1  # its checksum
    assert "damaged gzip" in refusal(tmp_path, bytes(packed))


@pytest.mark.parametrize("cut", [512, 600, 60_000])
def test_a_tar_that_ends_early_is_refused(tmp_path, cut):
    whole = tar_of(("a.mmdb", DATABASE))
    assert refusal(tmp_path, whole[:cut]) == (
        "the file: expected a whole tar, got one that ends early"
    )


def test_a_tar_of_very_many_members_is_left(tmp_path):
    members = [(f"{number}.txt", b"") for number in range(1200)]
    assert "got one without" in refusal(tmp_path, tar_of(*members, ("a.mmdb", b"x")), 2_000_000)


@pytest.mark.parametrize("size", [b"nonsense\0\0\0\0", b"-0000000001\0", b"\x80" + b"\xff" * 11])
def test_a_tar_with_a_size_that_is_none_is_refused(tmp_path, size):
    whole = bytearray(tar_of(("a.mmdb", DATABASE)))
    whole[124:136] = size
    assert "got a damaged one" in refusal(tmp_path, bytes(whole))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**30), st.booleans(), st.data())
def test_changed_files_are_unpacked_or_refused(tmp_path, seed, is_packed, data):
    dice = random.Random(seed)  # noqa: S311 - a test need not be secret
    whole = bytearray(tar_of(("b", b"abc"), ("a.mmdb", DATABASE[:3000])))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[dice.randrange(1600)] = dice.randrange(256)
    packed = bytes(whole)
    if is_packed:
        maker = zlib.compressobj(wbits=31)
        changed = bytearray(maker.compress(packed) + maker.flush())
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        packed = bytes(changed)
    (tmp_path / "packed").write_bytes(packed)
    try:
        unpack(tmp_path / "packed", tmp_path / "out", 50_000)
    except UpdateError as error:
        assert str(error).startswith("the file: expected ")  # noqa: PT017 - either is right
    else:
        assert (tmp_path / "out").stat().st_size <= 50_000
