"""How far countries are apart, measured once on the borders that `geo` ships.

    python scripts/build_geo_apart.py

Takes minutes. `build_geo.py` runs it after it has made the borders.
"""

import json
import lzma
import sys
from hashlib import sha256
from math import floor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from phonehome.geo.borders import borders, km_between
from phonehome.geo.countries import DATA


def build_apart() -> None:
    """Writes the table of `geo.country_distances`."""
    codes = sorted(borders())
    km = [
        [floor(km_between(one, other)) for other in codes[:place]]
        for place, one in enumerate(codes)
    ]
    measured = sha256((DATA / "borders.json.xz").read_bytes()).hexdigest()
    text = json.dumps({"borders_sha256": measured, "codes": codes, "km": km}, separators=(",", ":"))
    (DATA / "apart.json.xz").write_bytes(lzma.compress(text.encode("ascii"), preset=9))


if __name__ == "__main__":
    build_apart()
