"""Host header check against DNS rebinding (RFC 9110, section 7.2)."""

from urllib.parse import urlsplit

from portal.http.client import parse_address

_PORTS = {"http": "80", "https": "443"}


def is_ours(host: str, site_url: str) -> bool:
    """Whether a Host header names this portal.

    Any name does while no `site_url` is set. Else it must be that one's host; addresses and
    localhost pass too, for whoever asks on the machine itself: what is kept out is another name
    that leads here, under which a stranger's page would be of the same origin as the portal's own
    (DNS rebinding).
    """
    if not site_url:
        return True
    site = urlsplit(site_url)
    if _plain(host, site.scheme) == _plain(site.netloc, site.scheme):
        return True
    name = host.rpartition(":")[0] if _has_port(host) else host
    return name.lower() == "localhost" or parse_address(name.strip("[]")) is not None


def _plain(host: str, scheme: str) -> str:
    """The host in lower case, without its scheme's own port and the dot of a full name."""
    return host.lower().removesuffix(f":{_PORTS[scheme]}").removesuffix(".")


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")
