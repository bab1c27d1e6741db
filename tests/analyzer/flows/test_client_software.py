"""Of several hellos of a conversation the first whole one tells the software."""

import polars as pl

from phonehome.analyzer.flows.client_software import software
from phonehome.captures.tables import Hellos


def hellos(*rows):
    """Hellos of (frame, conversation, ALPN, JA4); without JA4: cut."""
    return Hellos.validate(
        pl.DataFrame(
            [
                {
                    "frame": frame,
                    "conversation": conversation,
                    "is_from_b": False,
                    "name": None,
                    "version": 772 if ja4 else None,
                    "alpn": alpn if ja4 else None,
                    "ja3": ja4 and f"three of {ja4}",
                    "ja4": ja4,
                    "is_ech": False if ja4 else None,
                }
                for frame, conversation, alpn, ja4 in rows
            ],
            schema=Hellos.create_empty().schema,
        )
    )


def test_the_first_whole_hello_speaks_for_its_conversation():
    found = software(
        hellos(
            (1, 7, [], None),
            (2, 5, ["h2", "http/1.1"], "a"),
            (3, 7, [], "b"),
            (4, 5, ["h3"], "c"),
            (9, 8, [], None),
        )
    )
    assert sorted(found.rows()) == [
        (5, "h2,http/1.1", "three of a", "a", False, False),
        (7, None, "three of b", "b", False, False),
        (8, None, None, None, None, False),
    ]


def test_no_hello_is_no_row():
    assert software(hellos()).height == 0


def test_a_hello_that_names_a_cover_is_covered():
    table = hellos((1, 3, [], "a"), (2, 4, [], "b")).with_columns(
        name=pl.Series(["cloudflare-ech.com", "a.example"])
    )
    assert dict(software(table).select("conversation", "is_covered").rows()) == {3: True, 4: False}
