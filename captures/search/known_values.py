"""What a user knows of the phone and the account under test. Values never leave this room."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """One thing that is known; nothing that prints it shows its value.

    Attributes:
        label: what the user calls it.
        kind: a key of `KINDS`.
        value: what to look for; of `coordinates` latitude and longitude with a comma between.
        content: octets of a planted file, instead of a value.
        tolerance: of `coordinates`, how far a number may be off, in degrees.
        keys: keys of which HMACs of the value are looked for.
    """

    label: str
    kind: str
    value: str = field(default="", repr=False)
    content: bytes = field(default=b"", repr=False)
    tolerance: float = field(default=0.005, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)

    def place(self) -> tuple[float, float]:
        """Latitude and longitude, in degrees.

        Raises:
            ValueError: the value states none on this planet.
        """
        latitude, longitude = (float(part) for part in self.value.split(","))
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004 - degrees
            raise ValueError("no place on this planet")
        return latitude, longitude
