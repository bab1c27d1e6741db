"""Which addresses are the phone's: by word of the user, of the file, or by behaviour."""

import polars as pl

from phonehome.analyzer.flows import phone_address as reasons
from tests.small_captures import (
    ACK,
    BEGIN,
    HOST,
    LAPTOP,
    LAPTOP_MAC,
    OTHER_REMOTE,
    PHONE,
    PHONE_MAC,
    PHONE_SIX,
    RAW,
    REMOTE,
    REMOTE_SIX,
    ROUTER,
    ROUTER_MAC,
    SLL,
    SYN,
    Frame,
    arp,
    connection,
    cooked,
    dns_answer,
    dns_question,
    ethernet,
    household,
    pcapng,
    tcp,
    udp,
)

SAID = [("up", b"hello")]
GLOBAL_SIX = "2409:8a00:1e02:46a1::5"


def verdicts(analysis):
    table = analysis.phones
    return {row["address"]: (row["is_phone"], row["reason"]) for row in table.to_dicts()}


def taken(analysis):
    return {address for address, (is_phone, _) in verdicts(analysis).items() if is_phone}


def bare(packets):
    return [Frame(octets) for octets in packets]


def test_each_candidate_says_why_it_was_taken_or_rejected(analysed):
    found = verdicts(analysed(household()))
    assert found[PHONE] == (True, reasons.BEHAVES)
    assert found[PHONE_SIX] == (True, reasons.SAME_MAC)
    assert found[LAPTOP] == (False, "another address opens more connections")
    assert found[ROUTER] == (False, "another address opens more connections")


def test_candidates_carry_what_speaks_for_them(analysed):
    table = analysed(household()).phones
    row = table.row(0, named=True)
    assert (row["capture"], row["address"], row["mac"], row["scope"]) == (
        "1.pcap",
        PHONE,
        "0a:1b:2c:3d:4e:17",
        "private",
    )
    assert (row["opened"], row["asked_dns"], row["outbound_packets"]) == (2, 1, 0)


def test_the_word_of_the_user_is_taken_alone(analysed):
    found = verdicts(analysed(household(), phones=(LAPTOP,)))
    assert found[LAPTOP] == (True, reasons.GIVEN)
    assert found[PHONE] == (False, "the user named others")
    assert found[PHONE_SIX] == (False, "the user named others")


def test_addresses_that_take_no_part_make_no_phone_and_a_note(analysed):
    analysis = analysed(household(), phones=("10.9.9.9",))
    assert taken(analysis) == set()
    assert any("--phone" in note and "1.pcap" in note for note in analysis.notes)
    assert set(analysis.flows["role"]) == {"bystander", "local"}
    assert analysis.summary.up_unique_bytes == 0


def test_an_address_is_known_in_whatever_form_the_user_writes_it(analysed):
    assert taken(analysed(household(), phones=("FD00:43:0::0017",))) == {PHONE_SIX}


def test_a_public_address_can_be_named_too(analysed):
    analysis = analysed(household(), phones=(REMOTE,))
    assert taken(analysis) == {REMOTE}


def test_direction_flags_of_pcapng_say_which_end_is_the_phone(analysed):
    inbound, outbound = 1, 2
    own = connection((PHONE, 1_000), (REMOTE, 443), SAID)
    frames = [
        Frame(octets, BEGIN, None, (outbound, inbound)[at == 1]) for at, octets in enumerate(own)
    ]
    frames += bare(connection((LAPTOP, 1_000), (REMOTE, 443), SAID) * 3)
    found = verdicts(analysed(frames, container=pcapng, link_type=RAW))
    assert found[PHONE] == (True, reasons.SAID)
    assert found[LAPTOP] == (False, "the file marks no packet as sent from it")


def test_packet_types_of_a_cooked_capture_say_which_end_is_the_phone(analysed):
    there = cooked(tcp((PHONE, 4_000), (REMOTE, 443), b"up"), 4)
    back = cooked(tcp((REMOTE, 443), (PHONE, 4_000), b"down"), 0, ROUTER_MAC)
    passing = cooked(tcp((LAPTOP, 1), (REMOTE, 443), flags=SYN), 3, LAPTOP_MAC)
    analysis = analysed([back, there, passing, passing], link_type=SLL)
    found = verdicts(analysis)
    assert found[PHONE] == (True, reasons.SAID)
    assert found[LAPTOP][0] is False
    flow = analysis.flows.filter(pl.col("role") == "phone").row(0, named=True)
    assert (flow["local_address"], flow["up_payload_bytes"], flow["down_payload_bytes"]) == (
        PHONE,
        2,
        4,
    )


def test_a_few_wrong_marks_make_no_second_phone(analysed):
    own = [cooked(udp((PHONE, 9), (REMOTE, 9), b"x"), 4) for _ in range(200)]
    odd = [cooked(udp((LAPTOP, 9), (REMOTE, 9), b"x"), 4, LAPTOP_MAC)]
    assert taken(analysed(own + odd, link_type=SLL)) == {PHONE}


def test_all_addresses_of_the_phones_link_address_are_the_phones(analysed):
    six = ("fe80::1717", PHONE_SIX, GLOBAL_SIX)
    frames = [ethernet(tcp((PHONE, 7), (REMOTE, 443), flags=SYN))]
    frames += [ethernet(udp((address, 7), (REMOTE_SIX, 7), b"x")) for address in six]
    frames += [ethernet(udp((LAPTOP, 7), (REMOTE, 7), b"x"), LAPTOP_MAC)]
    assert taken(analysed(frames)) == {PHONE, *six}


def test_a_link_address_that_forwards_for_the_internet_is_no_phones(analysed):
    """The capture was taken behind a router: every address has the router's link address."""
    inside, outside = "020000000001", "020000000002"
    mine, others = (
        connection((PHONE, 5), (REMOTE, 443), SAID),
        [udp((LAPTOP, 6), (OTHER_REMOTE, 7), b"x")],
    )
    frames = [ethernet(octets, inside, outside) for octets in (*mine, *others)]
    frames += [ethernet(udp((REMOTE, 9), (PHONE, 9), b"y"), inside, outside)]
    assert taken(analysed(frames)) == {PHONE}


def test_a_link_address_with_many_addresses_is_a_routers(analysed):
    frames = [ethernet(octets) for octets in connection((PHONE, 5), (REMOTE, 443), SAID)[::2]]
    frames += [
        ethernet(udp((f"192.168.43.{host}", 6), (OTHER_REMOTE, 7), b"x")) for host in range(50, 60)
    ]
    assert taken(analysed(frames)) == {PHONE}


def test_without_link_addresses_the_phone_has_one_address_per_ip_version(analysed):
    packets = [
        *connection((PHONE, 1), (REMOTE, 443), SAID),
        *connection((PHONE_SIX, 2), (REMOTE_SIX, 443), SAID),
        *connection((LAPTOP, 3), (REMOTE, 443), SAID),
        *connection((PHONE, 4), (OTHER_REMOTE, 443), SAID),
    ]
    found = verdicts(analysed(bare(packets), link_type=RAW))
    assert found[PHONE] == (True, reasons.BEHAVES)
    assert found[PHONE_SIX] == (True, reasons.SAME_BEHAVIOUR)
    assert found[LAPTOP][0] is False


def test_a_global_address_beside_a_private_one_is_the_phones_on_a_bare_link(analysed):
    """Mobile networks give a private IPv4 and a global IPv6 address."""
    packets = [
        *connection(("10.54.1.2", 1), (REMOTE, 443), SAID),
        *connection((GLOBAL_SIX, 2), (REMOTE_SIX, 443), SAID),
    ]
    assert taken(analysed(bare(packets), link_type=RAW)) == {"10.54.1.2", GLOBAL_SIX}


def test_a_server_of_the_other_ip_version_is_no_phone_of_a_bare_link(analysed):
    packets = [
        *connection((PHONE, 1), (REMOTE, 443), SAID),
        tcp((REMOTE_SIX, 443), (GLOBAL_SIX, 2), b"from the middle", flags=ACK),
    ]
    assert taken(analysed(bare(packets), link_type=RAW)) == {PHONE}


def test_a_phone_with_public_addresses_only_is_found_by_what_it_does(analysed):
    packets = connection((GLOBAL_SIX, 2), (REMOTE_SIX, 443), [("up", b"a"), ("down", b"b" * 900)])
    assert taken(analysed(bare(packets), link_type=RAW)) == {GLOBAL_SIX}


def test_who_asks_for_names_is_the_phone_where_nobody_opens_a_connection(analysed):
    packets = [
        udp((PHONE, 6), (ROUTER, 53), dns_question(HOST)),
        udp((ROUTER, 53), (PHONE, 6), dns_answer(HOST, REMOTE)),
        *[udp((LAPTOP, 6), (ROUTER, 6), b"x")] * 9,
    ]
    found = verdicts(analysed(bare(packets), link_type=RAW))
    assert found[PHONE] == (True, reasons.BEHAVES)


def test_the_busiest_is_taken_where_nothing_else_speaks_for_anyone(analysed):
    packets = [udp((PHONE, 6), (LAPTOP, 6), b"x"), udp((PHONE, 6), (ROUTER, 6), b"x")]
    found = verdicts(analysed(bare(packets), link_type=RAW))
    assert found[PHONE] == (True, reasons.BUSIEST)


def test_a_server_on_the_internet_is_not_taken_in_the_middle_of_a_connection(analysed):
    packets = [
        tcp((REMOTE, 443), (PHONE, 54078), b"x" * 99),
        tcp((PHONE, 54078), (REMOTE, 443), flags=ACK, ack=100),
        tcp((PHONE, 54078), (REMOTE, 443), b"y" * 81, ack=100),
    ]
    found = verdicts(analysed(bare(packets), link_type=RAW))
    assert found[PHONE] == (True, reasons.BUSIEST_OWN)
    assert not found.get(REMOTE, (False, ""))[0]


def test_a_capture_without_conversations_has_no_phone_and_says_so(analysed):
    analysis = analysed([arp(), arp()])
    assert analysis.phones.height == 0
    assert any("--phone" in note for note in analysis.notes)
    assert analysis.summary.packets == 2


def test_each_capture_has_its_own_phone(analysed):
    other = [
        ethernet(octets, LAPTOP_MAC) for octets in connection(("10.0.0.5", 5), (REMOTE, 443), SAID)
    ]
    analysis = analysed(household(), other)
    chosen = analysis.phones.filter("is_phone").select("capture", "address").rows()
    assert set(chosen) == {
        ("1.pcap", PHONE),
        ("1.pcap", PHONE_SIX),
        ("2.pcap", "10.0.0.5"),
    }


def test_groups_and_nobody_are_never_the_phone(analysed):
    frames = [
        ethernet(udp(("0.0.0.0", 68), ("255.255.255.255", 67), b"x")),  # noqa: S104 - DHCP
        ethernet(udp(("224.0.0.251", 5353), ("224.0.0.251", 5353), b"x")),
    ]
    assert taken(analysed(frames)) == set()


def test_the_phones_link_address_is_the_one_it_sent_from(analysed):
    table = analysed(household()).phones
    assert table.filter("is_phone")["mac"].unique().to_list() == [
        ":".join(PHONE_MAC[at : at + 2] for at in range(0, 12, 2))
    ]


def test_flags_of_a_machine_that_forwards_are_not_the_phones(analysed):
    inbound, outbound = 1, 2
    frames = [
        Frame(octets, BEGIN, None, (inbound, outbound)[at == 1])
        for at, octets in enumerate(connection((PHONE, 1_000), (REMOTE, 443), SAID))
    ]
    found = verdicts(analysed(frames, container=pcapng, link_type=RAW))
    assert found[PHONE] == (True, reasons.BEHAVES)
    assert not found[REMOTE][0]


def test_opening_connections_says_more_than_a_private_address(analysed):
    packets = connection((GLOBAL_SIX, 2), (REMOTE_SIX, 443), SAID)
    packets += [udp((LAPTOP, 6), (ROUTER, 53), dns_question(HOST))]
    senders = [ROUTER_MAC if at == 1 else PHONE_MAC for at in range(len(packets) - 1)]
    frames = [
        ethernet(octets, sender=sender)
        for octets, sender in zip(packets, [*senders, LAPTOP_MAC], strict=True)
    ]
    analysis = analysed(frames)
    assert taken(analysis) == {GLOBAL_SIX}
    assert analysis.summary.up_unique_bytes == len(b"hello")
