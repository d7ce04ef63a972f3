"""The addresses that a name of another party may have: public ones, which embed no address that is not public."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey import public_address
from doorkey.errors import UsageError, VerificationError
from doorkey.wire.addresses import permitted

PUBLIC = ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0"]
PUBLIC_6 = ["2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1", "2003::1"]
PRIVATE = ["10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255"]
METADATA = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]
MULTICAST_AND_RESERVED = ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1", "ff0e::1"]
FOR_DOCUMENTS_AND_TESTS = ["192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "192.0.0.8"]
ODD_6 = ["fc00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "100::1", "2001:db8::1", "3fff::1", "2001:2::1", "5f00::1"]


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_6, "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_an_address_that_the_internet_reaches_is_public(address: str) -> None:
    assert public_address(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *(*PRIVATE, *METADATA, *MULTICAST_AND_RESERVED, *FOR_DOCUMENTS_AND_TESTS, *ODD_6),
        *("0.0.0.1", "0.1.2.3", "127.0.0.1", "127.255.255.255", "::", "::1", "192.88.99.1"),
    ],
)
def test_an_address_of_a_smaller_world_is_not(address: str) -> None:
    assert not public_address(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1"],
)
def test_an_ipv6_address_is_no_more_public_than_what_it_embeds(address: str) -> None:
    assert not public_address(ip_address(address))


@pytest.mark.parametrize("address", ["2002:101:101::1", "2002:a00:1::1", "2001:0:101:101::1", "64:ff9b:1::101:101"])
def test_an_unroutable_address_is_refused_whatever_it_embeds(address: str) -> None:
    assert not public_address(ip_address(address))


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_or_multicast_is_never_public(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        assert not public_address(address)


@given(st.ip_addresses(v=6))
def test_only_global_unicast_is_public(address: IPv6Address) -> None:
    if public_address(address):
        assert address.exploded[0] in "23" or address.ipv4_mapped or address in IPv6Network("64:ff9b::/96")


@pytest.mark.parametrize("what", ["1.1.1.1", None, 16843009])
def test_a_value_that_is_not_an_address_is_a_misuse(what: Any) -> None:
    with pytest.raises(UsageError, match="ipaddress"):
        public_address(what)


def test_the_responses_of_a_name_are_kept_in_their_order_and_once() -> None:
    answers = ("1.1.1.1", "2606:4700::1", "1.1.1.1", "1.0.0.1")
    assert [str(one) for one in permitted("as.example", answers, public_address)] == [
        "1.1.1.1",
        "2606:4700::1",
        "1.0.0.1",
    ]


@pytest.mark.parametrize("answers", [("10.0.0.1",), ("1.1.1.1", "10.0.0.1"), ("10.0.0.1", "1.1.1.1")])
def test_one_refused_address_refuses_the_name_and_is_not_shown(answers: tuple[str, ...]) -> None:
    with pytest.raises(VerificationError) as error:
        permitted("as.example", answers, public_address)
    assert error.value.claim == "host"
    assert "as.example" in str(error.value)
    assert "10.0" not in f"{error.value!r} {error.value.args}"


def test_a_mapped_address_is_checked_and_used_as_the_address_in_it() -> None:
    inner = IPv4Address("10.0.0.1")
    assert permitted("as.example", ("::ffff:10.0.0.1",), lambda address: address == inner) == (inner,)


def test_a_zone_is_no_part_of_the_address() -> None:
    assert permitted("as.example", ("fe80::1%eth0",), lambda _: True) == (IPv6Address("fe80::1"),)
