import pytest

from benchmarks.messages import messages
from benchmarks.packets import draw_packets
from benchmarks.plan import draw_flows

SEED = 7
FLOWS = 400
PACKETS = 12_000


@pytest.fixture(scope="session")
def flows():
    return draw_flows(SEED, FLOWS)


@pytest.fixture(scope="session")
def bodies(flows):
    return messages(SEED, flows)


@pytest.fixture(scope="session")
def packets(flows, bodies):
    return draw_packets(SEED, flows, PACKETS, bodies)
