import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, time
from html.parser import HTMLParser

import polars as pl
import pytest

from phonehome.reports.page import document, report
from phonehome.reports.words import escape as text
from phonehome.reports.words.wording import bytes_text, share_text

PAYLOADS = [
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "<!--",
    "]]>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% for x in y %}",
    "%{x}<extra></extra>",
    "&lt;script&gt;",
    "\u2028\u2029\x00\x1b[31m",
    "<a href=//evil.example>x</a>",
    "<iframe src=//evil.example>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
]


class Reader(HTMLParser):
    """Collects tags, attributes, and the text outside of scripts and styles."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.texts, self.scripts = [], [], [], []
        self.inside = None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        self.inside = tag if tag in {"script", "style"} else None
        if tag == "script":
            self.scripts.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self.inside = None if tag == self.inside else self.inside

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1][1] += data
        elif self.inside is None:
            self.texts.append(data)


def content(analysis):
    return b"".join(report.page(analysis)).decode()


def read(analysis):
    reader = Reader()
    reader.feed(content(analysis))
    return reader


def plain(reader):
    return " ".join(" ".join(reader.texts).replace("\u00a0", " ").split())


def everywhere(analysis, payload):
    """The analysis with a payload in every text that a capture or a database writes."""
    flows = analysis.flows.with_columns(
        host=pl.lit(payload), as_org=pl.lit(payload), capture=pl.lit(payload), app=pl.lit(payload)
    )
    uploads = analysis.uploads.with_columns(
        host=pl.lit(payload), as_org=pl.lit(payload), app=pl.lit(payload), country=pl.lit(payload)
    ).with_columns(
        organisation=pl.lit(payload), organisation_country=pl.lit(payload), party=pl.lit("tracker")
    )
    return replace(
        analysis,
        summary=replace(analysis.summary, app=payload, version=payload, is_app_known=True),
        captures=analysis.captures.with_columns(capture=pl.lit(payload), damage=pl.lit(payload)),
        phones=analysis.phones.with_columns(reason=pl.lit(payload), address=pl.lit(payload)),
        flows=flows,
        uploads=uploads,
        places=analysis.places.with_columns(
            as_org=pl.lit(payload),
            country=pl.lit(payload),
            reason=pl.lit(payload),
            verdict=pl.lit("impossible"),
        ),
        phases=analysis.phases.with_columns(label=pl.lit(payload), source=pl.lit(payload)),
        oddities=analysis.oddities.with_columns(kind=pl.lit(payload), layer=pl.lit(payload)),
        databases=analysis.databases.with_columns(
            *(
                pl.lit(payload).alias(name)
                for name in ("name", "licence", "attribution", "attribution_url", "note")
            )
        ),
        notes=(payload,),
        limits_hit={payload: 1},
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_every_field_adds_no_tag_and_no_attribute(rich, payload):
    harmless, hostile = read(everywhere(rich, "harmless")), read(everywhere(rich, payload))
    assert hostile.tags == harmless.tags
    assert [(tag, name) for tag, name, _ in hostile.attributes] == [
        (tag, name) for tag, name, _ in harmless.attributes
    ]
    assert not [name for _, name, _ in hostile.attributes if name.startswith("on")]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_is_shown_as_the_text_that_it_is(rich, payload):
    expected = " ".join(text.visible(payload).split())
    assert expected in plain(read(everywhere(rich, payload)))


def test_the_policy_names_the_hash_of_each_script_that_runs(rich):
    reader = read(rich)
    policy = next(value for _, name, value in reader.attributes if value and "default-src" in value)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy
    scripts = [script for attributes, script in reader.scripts if "type" not in attributes]
    packed = next(
        script for attributes, script in reader.scripts if attributes.get("id") == "plotly"
    )
    scripts.append(zlib.decompress(base64.b64decode(packed)).decode())
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


def test_nothing_on_the_page_is_loaded_from_elsewhere(rich):
    reader = read(rich)
    loading = {"src", "srcset", "data", "poster", "background", "action", "formaction"}
    assert not [entry for entry in reader.attributes if entry[1] in loading]
    assert "link" not in reader.tags
    style = document.style("report.css")
    assert "url(" not in style
    assert "@import" not in style


def test_only_attributions_link_out_and_only_over_https(rich):
    reader = read(rich)
    links = [value for tag, name, value in reader.attributes if (tag, name) == ("a", "href")]
    assert [link for link in links if not link.startswith("#")] == ["https://db-ip.com"]
    assert ("a", "rel", "noreferrer noopener") in reader.attributes


def test_every_link_inside_the_page_has_its_target(rich):
    reader = read(rich)
    ids = [value for _, name, value in reader.attributes if name == "id"]
    links = {
        value[1:] for _, name, value in reader.attributes if name == "href" and value[0] == "#"
    }
    assert {link for link in links if "=" not in link} <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_island_is_json_and_cannot_end_its_script(rich):
    island = next(text for attrs, text in read(rich).scripts if attrs.get("id") == "island")
    assert set(json.loads(island)) == {"map", "sankey", "time", "topology", "facts"}
    assert not re.search("[<>&\u2028\u2029]", island)


def test_the_answer_comes_first(rich):
    shown = plain(read(rich))
    answer = shown.index("The phone uploaded 2.31 MB to 9 countries")
    assert answer < shown.index("Where it went") < shown.index("Made by phonehome")


def test_every_total_on_the_page_is_the_same_number(rich):
    total = f"{rich.summary.up_unique_bytes:,}"
    assert plain(read(rich)).count(total) >= 6


def test_provenance_has_hashes_dates_versions_and_settings(rich):
    shown = plain(read(rich))
    for part in ("4f" * 32, "ab" * 32, "2026-06-01", "CC BY 4.0", "record bytes", "phases.csv"):
        assert part in shown


def test_databases_that_differ_are_named(rich):
    shown = plain(read(rich))
    assert "databases differ ipfire: China (CN)" in shown
    assert "anycast" in shown


def test_a_damaged_input_and_a_broken_account_are_said_first(rich):
    summary = replace(rich.summary, is_damaged=True, is_balanced=False)
    shown = plain(read(replace(rich, summary=summary)))
    account = shown.index("The accounting does not hold; this report is not complete.")
    assert account < shown.index("Part of the input could not be read.") < shown.index("Uploaded")
    assert "banner" not in " ".join(
        value or "" for _, name, value in read(rich).attributes if name == "class"
    )


def test_without_an_upload_there_is_no_chart_and_no_library(empty):
    whole = content(empty)
    assert len(whole) < 100_000
    assert "No upload to a public server was seen in this capture." in whole
    assert "was not sent" not in re.sub("proof that.*?sent", "", whole)


def test_without_a_timeline_the_page_says_how_to_do_better(single):
    assert "--timeline" in plain(read(single))


def test_an_app_that_was_asked_for_leaves_a_remainder(rich):
    mine = rich.uploads.filter(pl.col("app") == "com.example.chat")["up_unique_bytes"].sum()
    summary = replace(rich.summary, app="com.example.chat", up_unique_bytes=mine)
    shown = plain(read(replace(rich, summary=summary)))
    rest = rich.summary.up_unique_bytes - mine
    assert f"Other apps uploaded {rest / 1000:.1f} kB ({rest:,} bytes)" in shown


@pytest.fixture(scope="module")
def crowded(rich):
    """5,000 destinations with the longest names, half of them hostile."""
    number = pl.int_range(pl.len())
    address = pl.format("11.{}.{}.1", number // 250, number % 250)
    host = pl.format("{}{}", pl.lit("<&\"'>" * 50), number)
    uploads = pl.concat([rich.uploads.head(1)] * 5_000).with_columns(
        remote_address=address, host=host
    )
    flows = pl.concat([rich.flows.head(1)] * 5_000).with_columns(
        flow=number + 1, remote_address=address, host=host
    )
    return replace(rich, uploads=uploads, flows=flows)


def test_five_thousand_destinations_stay_within_five_mebibytes(crowded):
    assert len(content(crowded).encode()) < 5 * 1024**2


def test_destinations_beyond_two_thousand_are_one_row_with_their_sum(crowded):
    shown = plain(read(crowded))
    assert "3,000 other destinations" in shown
    assert f"{3_000 * crowded.uploads['up_unique_bytes'][0]:,}" in shown


def test_the_phone_and_the_age_of_the_countries_stand_under_the_answer(rich):
    shown = plain(read(rich))
    taken = shown.index("Taken for the phone: 10.215.173.1 (opened 12 of 12 connections)")
    dated = shown.index("Where the first database (data of 2026-06-01) places the servers.")
    assert dated < taken < shown.index("Where it went")


def run_by(analysis, **runners):
    """The analysis with organisation, country and party of each host given."""
    host = pl.col("host").fill_null("")
    columns = {
        name: host.replace_strict(
            {key.replace("_", "."): of[place] for key, of in runners.items()},
            default=None,
            return_dtype=pl.String,
        )
        for place, name in enumerate(("organisation", "organisation_country", "party"))
    }
    return replace(analysis, uploads=analysis.uploads.with_columns(**columns))


def test_who_runs_the_hosts_is_said_by_name_and_by_party(rich):
    hosts = rich.uploads.group_by("host").agg(pl.col("up_unique_bytes").sum()).drop_nulls("host")
    first, second = hosts.sort("up_unique_bytes", descending=True)["host"].head(2)
    sent = dict(hosts.rows())
    shown = plain(
        read(
            run_by(
                rich,
                **{
                    first.replace(".", "_"): ("Tencent", "CN", "first"),
                    second.replace(".", "_"): ("Adjust", "US", "tracker"),
                },
            )
        )
    )
    whole = rich.summary.up_unique_bytes
    own = f"{bytes_text(sent[first])} ({share_text(sent[first], whole)})"
    assert f"{own} went to hosts that the publisher of the app runs: Tencent." in shown
    told = f"{bytes_text(sent[second])} ({share_text(sent[second], whole)})"
    assert f"{told} went to hosts for advertising, analytics or crash reports: Adjust." in shown
    assert "Tencent (CN) own" in shown
    assert "Adjust (US) tracker" in shown
    assert "(network)" in shown


def test_missing_bytes_stand_in_the_answer_and_the_input_quality(rich):
    captures = rich.captures.with_columns(
        gap_bytes=pl.lit(65_432, pl.Int64), dropped_packets=pl.lit(None, pl.Int64)
    )
    shown = plain(read(replace(rich, captures=captures)))
    assert shown.count("at least 65,432 bytes are missing inside TCP streams") == 2
    assert shown.count("65,432") == 4


def test_duplicates_are_not_looked_for_where_none_is_counted(rich):
    row = rich.ledger.head(1).with_columns(
        pl.col(pl.Int64).fill_null(0) * 0, outcome=pl.lit("duplicate")
    )
    shown = plain(read(replace(rich, ledger=pl.concat([rich.ledger, row]))))
    assert "duplicate 0 0" in shown
    some = row.with_columns(packets=pl.lit(17, pl.Int64))
    shown = plain(read(replace(rich, ledger=pl.concat([rich.ledger, some]))))
    assert "duplicate 17" in shown


def test_a_timeline_of_another_day_is_not_asked_for_again(single, rich):
    shown = plain(read(replace(single, settings=rich.settings)))
    assert shown.count("The timelines given cover no moment of the captures") == 2
    assert "--timeline" not in shown


@pytest.mark.parametrize(
    ("day", "is_marked"), [(date(2026, 8, 30), False), (date(2026, 9, 1), True)]
)
def test_databases_that_were_old_when_the_capture_was_made_are_marked(rich, day, is_marked):
    last = pl.lit(datetime.combine(day, time(12), UTC)).cast(pl.Datetime("ns", "UTC"))
    later = replace(rich, captures=rich.captures.with_columns(last_time=last))
    assert (
        b"more than 90 days before the last packet" in b"".join(report.page(later))
    ) == is_marked
