"""Small databases, written as a test needs them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes an MMDB of networks and records, and gives its path."""

    def write_mmdb(
        records: Mapping[str, Any],
        name: str = "small.mmdb",
        database_type: str = "Test",
        ip_version: int = 6,
    ) -> Path:
        writer = MMDBWriter(
            ip_version=ip_version,
            ipv4_compatible=ip_version == 6,
            database_type=database_type,
            languages=["en"],
            description="made by a test",
        )
        for network, record in records.items():
            writer.insert_network(IPSet([network]), record)
        path = tmp_path / name
        writer.to_db_file(str(path))
        return path

    return write_mmdb
