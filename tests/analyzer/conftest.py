"""Analyses of small captures, from frames to tables."""

import pytest
from small_captures import ETHERNET, pcap, pcapng, put

from analyzer.analysis import analyze
from analyzer.settings import Settings


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
