"""Whether an address stays on this machine: only there may a secret go over plain HTTP."""

from __future__ import annotations

import ipaddress


def is_this_machine(host: str) -> bool:
    """True for ``localhost`` and the loopback addresses of IPv4 and IPv6."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
