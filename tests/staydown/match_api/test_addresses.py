"""Which addresses may be connected to: every class that leads inside is refused, also wrapped in another."""

import pytest

from staydown.match_api.addresses import is_own, is_public


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "172.15.255.255",
        "172.32.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
    ],
)
def test_address_of_the_public_internet_is_public(address):
    assert is_public(address)


INSIDE = {
    "this network": ["0.0.0.0", "0.1.2.3"],
    "private": [
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "fd00::1",
        "fc00::1",
    ],
    "loopback": ["127.0.0.1", "127.9.9.9", "::1"],
    "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0"],
    "shared by carriers": ["100.64.0.1", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1"],
    "reserved and broadcast": ["240.0.0.1", "255.255.255.255"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarking": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "a cloud's own": ["168.63.129.16", "fd00:ec2::254"],
    "unspecified": ["::"],
    "an IPv4 address mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"],
    "an IPv4 address compatible": ["::127.0.0.1", "::8.8.8.8"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1"],
    "6to4": ["2002:7f00:1::1", "192.88.99.1"],
    "Teredo": ["2001:0:7f00:1::1"],
    "site-local": ["fec0::1"],
    "unassigned": ["4000::1", "e000::1"],
    "no address": [
        "",
        "localhost",
        "127.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "1.1.1.1.",
        " 1.1.1.1",
    ],
}


@pytest.mark.parametrize(("kind", "address"), [(kind, one) for kind, all_ in INSIDE.items() for one in all_])
def test_address_that_may_lead_inside_is_not_public(kind, address):
    assert not is_public(address), kind


def test_own_address_is_known_by_the_kernel_and_another_is_not():
    assert is_own("127.0.0.1")
    assert is_own("::1") or not is_own("2001:db8::1")
    assert not is_own("192.0.2.1")
