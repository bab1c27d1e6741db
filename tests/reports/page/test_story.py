from dataclasses import replace

import polars as pl

from phonehome.reports.page import markdown, report
from phonehome.reports.page.story import listed, paragraph, top
from phonehome.reports.words import sums


def told(analysis):
    return paragraph(analysis, sums.counted(analysis))


def test_the_answer_says_how_much_where_to_whom_when_how_sure_and_what_has_no_name(rich):
    assert told(rich) == [
        (
            "The phone sent 2.31 MB (2,308,600 bytes of payload, each counted once) to 11 servers "
            "in 1 h 15 min that were observed."
        ),
        (
            "As the first database (data of 2026-06-01) places the servers, most went to "
            "Singapore (SG) (1.48 MB, 64.2 %), Hong Kong (HK) (527 kB, 22.8 %) and China (CN) "
            "(193 kB, 8.4 %)."
        ),
        (
            "By who runs the hosts, or else holds their network, most went to Tencent Building, "
            "Kejizhongyi Avenue (network) (2.00 MB, 86.8 %), Shenzhen Tencent Computer Systems "
            "Company Limited (network) (196 kB, 8.5 %) and Cloudflare, Inc. (network) "
            "(92.5 kB, 4.0 %)."
        ),
        "336 kB of it (14.6 %) was sent while idle, in 1 h, 42.2 % of that to China (CN).",
        (
            "How sure that is: the country agrees with the measured round trip for 72.9 % of the "
            "bytes, differs between databases for 27.0 % and is not known for under 0.1 %."
        ),
        "8.4 % (195 kB) went to servers whose name was not seen in this capture.",
    ]


def test_without_a_phone_nothing_is_said_of_uploads(empty):
    nobody = replace(empty, phones=empty.phones.with_columns(is_phone=pl.lit(value=False)))
    said = "Which address is the phone's is not known: no upload could be counted."
    assert told(nobody) == ["No address was taken for the phone: name it with --phone."]
    assert said in b"".join(report.page(nobody)).decode().replace("&#39;", "'")
    assert b"".join(markdown.report(nobody)).decode().startswith("# Which address is the phone")


def test_without_an_upload_one_sentence_says_what_was_seen(empty, rich):
    assert told(empty) == ["No packet between the phone and a public server was seen."]
    silent = replace(rich, summary=replace(rich.summary, up_unique_bytes=0, flows=1))
    assert told(silent) == [
        "1 connection of the phone with a public server was seen, and it carried nothing up."
    ]


def test_without_a_timeline_idle_is_said_to_be_unknown(single):
    said = "How much of it was sent while idle is unknown: nothing says when that was."
    assert said in told(single)


def without_holder(analysis, *addresses):
    as_org = pl.when(pl.col("remote_address").is_in(addresses)).then(None).otherwise("as_org")
    return replace(analysis, uploads=analysis.uploads.with_columns(as_org=as_org))


def test_nobody_is_called_largest_where_more_went_to_nobody_known(rich):
    said = told(without_holder(rich, "43.153.232.152", "203.205.254.157"))[2]
    assert "known are Shenzhen Tencent" in said
    assert said.endswith("; for 86.9 % it is not known.")
    assert "most went" not in said


def test_a_part_without_a_holder_is_said_after_the_largest(rich):
    said = told(without_holder(rich, "2402:4e00::1"))[2]
    assert "most went to Tencent Building" in said
    assert said.endswith("; for 8.4 % it is not known.")


def test_no_country_is_called_most_where_none_is_known(rich):
    uploads = rich.uploads.with_columns(country=pl.lit(None, pl.String))
    said = told(replace(rich, uploads=uploads))
    assert said[1] == "No database knows the country of any of these servers."


def test_a_list_in_a_sentence_ends_in_and():
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip


def test_the_largest_come_first_and_what_is_unknown_apart(rich):
    found = top(rich.uploads, pl.col("country"), most=2)
    assert [name for name, _ in found["rows"]] == ["SG", "HK"]
    assert found["unknown"] == 1_500
    assert found["is_largest"]
    assert not found["is_unknown_said"]
