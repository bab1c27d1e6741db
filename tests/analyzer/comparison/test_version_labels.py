from types import SimpleNamespace

import polars as pl
import pytest

from phonehome.analyzer.comparison.version_labels import (
    ANALYSED,
    GIVEN,
    OF_PATHS,
    Told,
    client_version,
    label,
    told,
)
from phonehome.analyzer.settings import Settings

WECHAT = "/cgi-bin/micromsg-bin/newgetdns?uin=0&clientversion=671094583&scene=0"


def part(*asked, app=None, version=None):
    """A repetition that asked for (target, agent), all over one flow."""
    rows = [
        (1, "x.pcap", frame, True, target, agent) for frame, (target, agent) in enumerate(asked, 1)
    ]
    columns = ["flow", "capture", "frame", "is_up", "target", "agent"]
    kinds = {"is_up": pl.Boolean, "target": pl.String, "agent": pl.String, "capture": pl.String}
    kinds |= {"flow": pl.Int64, "frame": pl.Int64}
    return SimpleNamespace(
        settings=Settings(version=version),
        flows=pl.DataFrame({"flow": [1], "app": [app]}, schema_overrides={"app": pl.String}),
        requests=pl.DataFrame(rows, schema=columns, orient="row", schema_overrides=kinds),
    )


@pytest.mark.parametrize(
    ("number", "version"),
    [(671094583, "8.0.23"), (0x18001734, "8.0.23"), (0x27000E37, "7.0.14"), (1, None)],
)
def test_the_number_of_a_client_is_its_version_where_its_platform_is_known(number, version):
    assert client_version(number) == version


def test_wechat_tells_its_version_in_what_it_asks_for():
    source = "clientversion 671094583, frame 1 of x.pcap"
    assert told([part((WECHAT, "MicroMessenger Client"))], None) == (Told("8.0.23", source),)


@pytest.mark.parametrize(
    ("agent", "app", "versions"),
    [
        ("Parrot/2.0.1 (Android 14)", "com.parrot.chat", ["2.0.1"]),
        ("Parrot/2.0.1", None, []),
        ("Dalvik/2.1.0 okhttp/4.9.1", "com.parrot.chat", []),
        ("Chat/1.2", "com.chatter", []),
        ("X/1.2", "com.x", []),
        ("Mozilla/5.0 MicroMessenger/8.0.50.2701 Weixin", None, ["8.0.50.2701"]),
        ("MicroMessenger/8.0.50", "org.browser", []),
    ],
)
def test_a_user_agent_counts_where_its_product_is_named_like_the_app(agent, app, versions):
    assert [one.version for one in told([part(("/", agent), app=app)], None)] == versions


def test_the_app_under_test_decides_where_the_capture_names_none():
    assert [one.version for one in told([part(("/", "Parrot/2.0"))], "Parrot")] == ["2.0"]


def test_a_label_is_what_was_given_then_the_analysis_then_the_directory(tmp_path):
    saved, plain = part(version="2.0"), part((WECHAT, ""))
    assert label([tmp_path], [saved], "mine", None) == ("mine", GIVEN)
    assert label([tmp_path], [saved], None, None) == ("2.0", ANALYSED)
    assert label([tmp_path], [plain], None, None) == (tmp_path.name, OF_PATHS)


def test_files_are_called_by_the_one_version_that_their_traffic_tells_of():
    one = part((WECHAT, ""))
    two = part((WECHAT.replace("671094583", "671094840"), ""))
    assert label(["a.pcap"], [one, one], None, None).text == "8.0.23"
    assert label(["a.pcap", "b.pcap"], [one, two], None, None) == ("a.pcap, b.pcap", OF_PATHS)
    assert label(["-"], [part()], None, None) == ("standard input", OF_PATHS)
