"""What servers chose, by name where it has one."""

import polars as pl

from phonehome.analyzer.flows.server_choice import servers
from phonehome.captures.tables import ServerHellos


def hellos(*rows):
    schema = ServerHellos.create_empty().schema
    return ServerHellos.validate(pl.DataFrame(rows, schema=schema, orient="row"))


def test_versions_and_suites_have_names_else_numbers():
    found = servers(
        hellos(
            (1, 0, True, 0x0304, 0x1301, None),
            (2, 1, True, 0x0303, 0xC02F, "h2"),
            (3, 2, True, 0x7F1C, 0xFAFA, None),
        )
    )
    assert found.rows() == [
        (0, "1.3", "TLS_AES_128_GCM_SHA256"),
        (1, "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (2, "0x7F1C", "0xFAFA"),
    ]


def test_of_a_conversation_the_first_hello_counts():
    rows = [(1, 0, True, 0x0304, 0x1301, None), (2, 0, True, 0x0303, 0xC02F, None)]
    assert servers(hellos(*rows))["tls_version"].to_list() == ["1.3"]
    assert servers(hellos()).is_empty()
