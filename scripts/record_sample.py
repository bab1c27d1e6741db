"""Records the sample captures: real traffic of a made-up app, with the truth beside each file.

    sudo python scripts/record_sample.py

Two versions of the app, three repetitions each, go to captures/samples/: the capture, the
timeline (CSV) and the truth (JSON). Needs Linux, root, iproute2 and the extra `record`; tshark,
if installed, reads every file back. docs/samples.md says what is in them and how to use them.
"""

import argparse
import csv
import hashlib
import ipaddress
import json
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sample.app import App
from sample.check import faults
from sample.files import Shape, write_capture
from sample.frames import PHONE_MAC, ROUTER_MAC, Anchor, ethernet, noise, readdress, spread
from sample.network import Recorded, Relay, enter_new_namespace, open_line
from sample.plan import PHONE_IPV4, PHONE_IPV6, RESOLVER, Destination, Plan, plan
from sample.servers import make_certificates, start_servers
from sample.truth import instant_ns, phase_at, text_of, truth

SAMPLES = Path(__file__).resolve().parent.parent / "captures" / "samples"
SHAPES = {
    ("1.0", 1): Shape(".pcap", 1000),
    ("1.0", 2): Shape(".pcap", 1),
    ("1.0", 3): Shape(".pcap", 1000),
    ("2.0", 1): Shape(".pcapng", 1000),
    ("2.0", 2): Shape(".pcapng", 1),
    ("2.0", 3): Shape(".pcapng.gz", 1),
}
_NS = 1_000_000_000
# Longer than a server waits before it sends again what was not acknowledged.
_QUIET_S = 0.8
# The sixth full segment has enough successors to be missed at once. The second ACK of a heartbeat
# is its last: nothing after it tells the server that its answer has arrived.
_MISHAP_NUMBER = {"lose_data": 6, "late_data": 5, "lose_ack": 2}


def main() -> int:
    """Records what is asked for, prints a table, and returns 1 if a file is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, default=SAMPLES, help="directory to write to")
    output = parser.parse_args().output
    # Each recording needs a process: a network namespace belongs to a thread and its children.
    with multiprocessing.get_context("spawn").Pool(len(SHAPES), maxtasksperchild=1) as pool:
        found = pool.starmap(_record_and_write, [(output, *key) for key in SHAPES], chunksize=1)
    print(f"{'capture':28} {'bytes':>8} {'packets':>8} {'up unique':>10} {'idle up':>8} countries")
    for line, _ in found:
        print(line)
    wrong = [fault for _, some in found for fault in some]
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 1 if wrong else 0


def _record_and_write(output: Path, version: str, repetition: int) -> tuple[str, list[str]]:
    """One capture, its timeline and its truth; a line for the table, and what is wrong."""
    planned, shape = plan(version, repetition), SHAPES[version, repetition]
    recorded, anchors, app = record(planned)
    frames = final_frames(planned, recorded, anchors, shape.resolution_ns)
    found = truth(planned, frames, app.tallies)
    directory = output / f"parrot-{version}"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"rep{repetition}{shape.suffix}"
    write_capture(path, shape, frames)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    stated = {"capture": path.name, "sha256": digest, **found}
    (directory / f"rep{repetition}.truth.json").write_text(json.dumps(stated, indent=1) + "\n")
    _write_timeline(directory / f"rep{repetition}.timeline.csv", planned)
    return _summary(path, found), faults(path, found)


def record(planned: Plan) -> tuple[list[Recorded], list[Anchor], App]:
    """Runs every step over a closed network; what passed the line, when each step began, the app.

    Raises:
        OSError: not root, or not Linux.
    """
    rng = random.Random(f"network {planned.version} {planned.repetition}")  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as directory:
        hosts = [one.host for one in planned.destinations if one.kind not in ("http", "binary")]
        certificates = make_certificates(
            [host for host in hosts if host != "httpdns.vendor.example"], Path(directory)
        )
        enter_new_namespace()
        far = [one.recorded for one in planned.destinations] + [RESOLVER]
        internet = open_line("internet", far)
        start_servers(planned.destinations, certificates)
        enter_new_namespace()
        phone = open_line("phone", [PHONE_IPV4, PHONE_IPV6])
        distances = {_packed(one.recorded): _one_way_ns(one) for one in planned.destinations}
        relay = Relay(phone, internet, distances, rng)
        relay.start()
        known = {one.host: one for one in planned.destinations}
        app = App(planned.version, known, certificates.authority, rng)
        anchors = _run_steps(planned, relay, app)
        relay.close()
    return relay.recorded, anchors, app


def _run_steps(planned: Plan, relay: Relay, app: App) -> list[Anchor]:
    anchors = []
    for step in planned.steps:
        relay.settle(_QUIET_S)
        at = instant_ns(planned.start) + round(step.at * _NS)
        anchors.append(Anchor(time.monotonic_ns(), at))
        if step.mishap is not None:
            far = _packed(app.destinations[step.host].recorded)
            relay.arm(step.mishap, far, _MISHAP_NUMBER[step.mishap])
        app.run(step, phase_at(planned, at))
    relay.settle(_QUIET_S)
    return anchors


def final_frames(
    planned: Plan, recorded: list[Recorded], anchors: list[Anchor], resolution_ns: int
) -> list[tuple[int, bytes]]:
    """The frames of the capture in order: public addresses, hop limits, planned times, neighbours'.

    Raises:
        ValueError: a packet falls out of the phase in which its step began.
    """
    addresses = {_packed(one.recorded): _packed(one.address) for one in planned.destinations}
    hop_limits = {_packed(one.address): one.hop_limit for one in planned.destinations}
    frames = []
    for seen in recorded:
        if seen.time_ns < anchors[0].recorded_ns:
            continue
        time_ns = spread(seen.time_ns, anchors)
        begun = [anchor.planned_ns for anchor in anchors if anchor.planned_ns <= time_ns][-1]
        if phase_at(planned, begun) != phase_at(planned, time_ns):
            raise ValueError(f"{text_of(time_ns)}: the step that began before runs over an edge")
        ends = (PHONE_MAC, ROUTER_MAC) if seen.is_up else (ROUTER_MAC, PHONE_MAC)
        packet = readdress(seen.packet, addresses, hop_limits)
        frames.append((time_ns, ethernet(packet, source=ends[0], target=ends[1])))
    begin = instant_ns(planned.start)
    frames += [(begin + round(at * _NS), frame) for at, frame in noise(PHONE_IPV4, PHONE_IPV6)]
    rounded = [(time_ns // resolution_ns * resolution_ns, frame) for time_ns, frame in frames]
    return sorted(rounded, key=lambda moment: moment[0])


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _one_way_ns(destination: Destination) -> int:
    return round(destination.rtt_ms * 1e6 / 2)


def _write_timeline(path: Path, planned: Plan) -> None:
    begin = instant_ns(planned.start)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["start", "end", "state", "label"])
        for phase in planned.phases:
            edges = [begin + round(edge * _NS) for edge in (phase.start, phase.end)]
            shown = [text_of(edge).replace(".000000000", "") for edge in edges]
            writer.writerow([*shown, phase.state, phase.label])


def _summary(path: Path, found: dict[str, Any]) -> str:
    """One line of the table."""
    rows = [phase for one in found["destinations"] for phase in one["phases"]]
    up = sum(row["up_unique_bytes"] for row in rows)
    idle = sum(row["up_unique_bytes"] for row in rows if row["state"] == "idle")
    name = f"{path.parent.name}/{path.name}"
    size, packets = path.stat().st_size, found["packets"]
    return f"{name:28} {size:8} {packets:8} {up:10} {idle:8} {' '.join(found['countries'])}"


if __name__ == "__main__":
    sys.exit(main())
