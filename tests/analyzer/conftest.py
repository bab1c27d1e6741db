"""Analyses of small captures, from frames to tables."""

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from tests.analyzer.stated import answers_here, tested
from tests.small_captures import ETHERNET, pcap, pcapng, put


@pytest.fixture
def analysed(tmp_path):
    """The analysis of these frames, one capture per list, named `1.pcap` and so on."""

    def run(*captures, link_type=ETHERNET, container=pcap, **settings):
        suffix = "pcapng" if container is pcapng else "pcap"
        paths = [
            put(tmp_path / f"{number}.{suffix}", container(frames, link_type=link_type))
            for number, frames in enumerate(captures, start=1)
        ]
        return analyze(paths, Settings(**settings))

    return run


@pytest.fixture
def timeline_file(tmp_path):
    """A timeline with these lines below the usual header."""

    def write(*lines, header="start,end,state,label", name="timeline.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def asked_here(monkeypatch):
    """Queries of claims are asked in the process of the test."""
    monkeypatch.setattr("phonehome.analyzer.claims.check.answers", answers_here)
    monkeypatch.setattr("phonehome.analyzer.claims.file.answers", answers_here)


@pytest.fixture
def concluded(tmp_path, asked_here):  # noqa: ARG001 - it changes what is asked
    """Result and reason of one claim with these lines; its row is then `concluded.row`."""

    def conclude(of, *lines):
        conclude.row = tested(tmp_path, of, *lines)
        return conclude.row["result"], conclude.row["reason"]

    return conclude
