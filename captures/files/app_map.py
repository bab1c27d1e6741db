# Held by tests/captures/decoding/test_app_owners.py: values only.
"""What a capture's own map from user ids to apps says."""

from typing import NamedTuple


class Package(NamedTuple):
    """What a map from user ids to apps says of one."""

    package: str
    name: str
