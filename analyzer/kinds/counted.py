# Held by tests/analyzer/kinds/test_kinds.py: each kind is said there.
"""Numbers with their nouns, one and many, as parts of other statements."""

from phonehome.analyzer.kinds.statement import Kind, Statement

_FORMS = {
    "connection": (
        Kind("one_connection", 5, "{count} connection"),
        Kind("connections", 5, "{count} connections"),
    ),
    "name": (
        Kind("one_name", 5, "{count} name"),
        Kind("names", 5, "{count} names"),
    ),
    "record": (
        Kind("one_record", 5, "{count} record"),
        Kind("records", 5, "{count} records"),
    ),
    "hello": (
        Kind("one_hello", 5, "{count} hello"),
        Kind("hellos", 5, "{count} hellos"),
    ),
    "request": (
        Kind("one_request", 5, "{count} request"),
        Kind("requests", 5, "{count} requests"),
    ),
    "key": (
        Kind("one_key", 5, "{count} key"),
        Kind("keys", 5, "{count} keys"),
    ),
    "encrypted flow": (
        Kind("encrypted_flow", 5, "{count} encrypted flow"),
        Kind("encrypted_flows", 5, "{count} encrypted flows"),
    ),
}
"""One and many of each noun."""


def counted(count: int, noun: str) -> Statement:
    """So many of these.

    Args:
        count: how many.
        noun: one of those that are declared here, in the singular.
    """
    one, many = _FORMS[noun]
    return (one if count == 1 else many)(count=count)
