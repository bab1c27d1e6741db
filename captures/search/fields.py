"""Which field of a text holds what stands at a place: JSON, a form, XML, a header, multipart."""

import re

_BEFORE = 1_024
_LONGEST = 64
_NAME = rb"[A-Za-z0-9_.$:\[\]-]{1,64}"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rb"\"(" + _NAME + rb")\\?\"\s*:\s*(?:\\?\"[^\"]*|[\[0-9.,eE+\s-]*)\Z",
        rb"(?:^|[?&;,\s])(" + _NAME + rb")=\"?[^&;\"\r\n]*\Z",
        rb"<(?:[^<>]*\s)?(" + _NAME + rb")=[\"'][^\"'<>]*\Z",
        rb"<(" + _NAME + rb")(?:\s[^<>]*)?>[^<>]*\Z",
        rb"name=\"(" + _NAME + rb")\"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n[^\r\n]*\Z",
        rb"(?:^|\n)([A-Za-z0-9-]{1,64}):[ \t]*[^\r\n]*\Z",
    )
)


def field_at(octets: bytes, at: int) -> str | None:
    """Name of the field whose value holds this place; None: none that can be told."""
    before = octets[max(at - _BEFORE, 0) : at]
    found = [match for form in _FORMS if (match := form.search(before))]
    if not found:
        return None
    return max(found, key=lambda match: match.start(1))[1].decode("ascii")
