import ipaddress

import numpy as np
import pytest

from benchmarks.plan import REMOTES_V4, REMOTES_V6, RESOLVERS, Kind, draw_flows


def test_flows_depend_on_the_seed_and_on_their_number_alone(flows):
    again, other = draw_flows(7, 400), draw_flows(8, 400)
    assert np.array_equal(flows.remote, again.remote)
    assert not np.array_equal(flows.remote, other.remote)


@pytest.mark.parametrize("count", [60, 400, 120_000])
def test_no_two_flows_share_remote_and_ports(count):
    flows = draw_flows(1, count)
    keys = np.stack([flows.remote, flows.remote_port, flows.local_port], axis=1)
    assert len(keys) == count
    assert len(np.unique(keys, axis=0)) == count


def test_shares_are_those_of_a_phone():
    flows = draw_flows(1, 32_000)
    talks = flows.kind[flows.kind != Kind.DNS]
    assert len(talks) == 25_600
    assert np.mean(talks == Kind.TLS) == pytest.approx(0.80, abs=0.01)
    assert np.mean(talks == Kind.QUIC) == pytest.approx(0.10, abs=0.01)
    assert flows.is_v6[: len(talks)].mean() == pytest.approx(0.10, abs=0.01)


def test_all_remotes_but_one_resolver_are_public(flows):
    public = [
        ipaddress.ip_address(row.tobytes()[: 16 if number >= REMOTES_V4 else 4]).is_global
        for number, row in enumerate(flows.addresses[: REMOTES_V4 + REMOTES_V6])
    ]
    resolvers = [ipaddress.ip_address(resolver).is_global for resolver in RESOLVERS]
    assert all(public)
    assert resolvers == [False, True, True, True]


def test_a_question_comes_before_the_flow_that_it_asks_for(flows):
    asked = flows.asks_for[flows.kind == Kind.DNS]
    questions = flows.start[flows.kind == Kind.DNS]
    assert (questions < flows.start[asked]).all()
    assert (flows.name[flows.kind == Kind.DNS] == flows.name[asked]).all()


def test_more_questions_than_ports_are_refused():
    with pytest.raises(ValueError, match="flows: expected at most 1290240, got 2000000"):
        draw_flows(1, 2_000_000)
