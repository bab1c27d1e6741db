"""Files that users give beside captures: read whole, up to a bound."""

from pathlib import Path


def octets_of(path: Path, most_bytes: int, refusal: type[ValueError]) -> bytes:
    """All bytes of a file.

    Raises:
        refusal: it cannot be read, or is larger than `most_bytes`; one line that names it.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(most_bytes + 1)
    except OSError as error:
        raise refusal(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(octets) > most_bytes:
        raise refusal(f"{path}: larger than {most_bytes} bytes")
    return octets
