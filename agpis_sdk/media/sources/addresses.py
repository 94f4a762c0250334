"""Which addresses of the network belong to the public internet; what only looks like a public one is seen through."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Named here and not left to `ipaddress`, whose lists differ between versions of Python.
_NOT_PUBLIC = [
    (ip_network(network), kind)
    for network, kind in {
        "169.254.169.254/32": "a metadata address",
        "169.254.170.2/32": "a metadata address",
        "100.100.100.200/32": "a metadata address",
        "168.63.129.16/32": "a metadata address",
        "192.0.0.192/32": "a metadata address",
        "fd00:ec2::/32": "a metadata address",
        "127.0.0.0/8": "a loopback address",
        "::1/128": "a loopback address",
        "0.0.0.0/8": "an unspecified address",
        "::/128": "an unspecified address",
        "10.0.0.0/8": "a private address",
        "172.16.0.0/12": "a private address",
        "192.168.0.0/16": "a private address",
        "fc00::/7": "a private address",
        "fec0::/10": "a private address",
        "64:ff9b:1::/48": "a private address",
        "100.64.0.0/10": "a carrier's private address",
        "169.254.0.0/16": "a link-local address",
        "fe80::/10": "a link-local address",
        "224.0.0.0/4": "a multicast address",
        "ff00::/8": "a multicast address",
        "192.0.0.0/24": "a reserved address",
        "192.0.2.0/24": "a reserved address",
        "192.88.99.0/24": "a reserved address",
        "198.18.0.0/15": "a reserved address",
        "198.51.100.0/24": "a reserved address",
        "203.0.113.0/24": "a reserved address",
        "240.0.0.0/4": "a reserved address",
        "100::/64": "a reserved address",
        "2001:db8::/32": "a reserved address",
        "3fff::/20": "a reserved address",
        "5f00::/16": "a reserved address",
    }.items()
]
_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_LAST_32_BITS = 0xFFFF_FFFF


def why_not_public(address: str) -> str | None:
    """Return what a numeric address is instead of a public one, or None where it is one.

    >>> why_not_public("::ffff:169.254.169.254"), why_not_public("93.184.215.14")
    ('a metadata address', None)
    """
    parsed = ip_address(address.partition("%")[0])
    for one in (parsed, *_embedded(parsed)):
        for network, kind in _NOT_PUBLIC:
            if one.version == network.version and one in network:
                return kind
        if not _is_tunnel(one) and not (one.is_global and (one.version == 4 or one in _UNICAST)):
            return "a reserved address"
    return None


def _embedded(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses to which an IPv6 one may be translated on its way."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or address in _COMPATIBLE:
        found.append(IPv4Address(int(address) & _LAST_32_BITS))
    return [one for one in found if one is not None]


def _is_tunnel(address: Address) -> bool:
    """Whether an address stands for an IPv4 one, which is judged in its place."""
    return isinstance(address, IPv6Address) and bool(_embedded(address))
