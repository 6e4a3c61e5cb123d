"""Where a request comes from."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([\d.]+):\d+")


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address, or ``""`` if it is unknown.

    ``X-Forwarded-For`` is trusted only as far as ``TRUSTED_PROXIES`` proxies have
    written it: each one appends the address that called it.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES].strip()
        if found := WITH_PORT.fullmatch(address):  # as some proxies write it
            address = found[1] or found[2]
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])  # without a zone
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def network(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or a /64 network of IPv6.

    A subscriber usually owns a whole /64 and can change addresses within it.
    """
    if ":" in address:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return address
