"""Who is behind a request: the address of a visitor, also behind proxies that this site trusts. Pure.

Each proxy adds the address that spoke to it at the end of `X-Forwarded-For`. So it is read from its end, as far as those who wrote it
are trusted; what stands before that anybody may have made up.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def visitor(remote: str, forwarded: str, trusted: Sequence[Network]) -> IPv4Address | IPv6Address | None:
    """The visitor's address; None when even the connection's is none.

    Args:
        remote: who speaks to us.
        forwarded: `X-Forwarded-For` as it came.
        trusted: proxies that are believed.
    """
    found = _parsed(remote)
    for text in reversed(forwarded.split(",")):
        if found is None or not any(found in network for network in trusted):
            break
        said = _parsed(text)
        if said is None:
            break
        found = said
    return found


def counted_as(address: IPv4Address | IPv6Address | None) -> str:
    """What counts as one visitor: an address, of IPv6 the network of 64 bits that one owns whole."""
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/64", strict=False).network_address)
    return str(address or "0.0.0.0")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
