"""Addresses in releases that lead to what is not public: nothing there is ever asked.

https://owasp.org/www-community/attacks/Server_Side_Request_Forgery: whoever may write a release may
write any address into it, and whoever answers for a file may redirect to any other.
"""

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.gitlab.faulty import FaultyGitLab, _head
from tests.support.running import ask, host

SECRET = b"inside"
# The loopback as it can be written; {port} is where something listens.
FORMS = {
    "plain": "127.0.0.1:{port}",
    "another": "127.9.9.9:{port}",
    "short": "127.1:{port}",
    "decimal": "2130706433:{port}",
    "hexadecimal": "0x7f000001:{port}",
    "hexadecimal-parts": "0x7f.0x0.0x0.0x1:{port}",
    "octal": "0177.0.0.1:{port}",
    "octal-whole": "017700000001:{port}",
    "zeros": "127.000.000.001:{port}",
    "nothing": "0:{port}",
    "unspecified": "0.0.0.0:{port}",
    "name": "localhost:{port}",
    "name-capitals": "LOCALHOST:{port}",
    "name-dot": "localhost.:{port}",
    "this-machine": socket.gethostname() + ":{port}",
    "six": "[::1]:{port}",
    "six-long": "[0:0:0:0:0:0:0:1]:{port}",
    "six-mapped": "[::ffff:127.0.0.1]:{port}",
    "six-mapped-hexadecimal": "[::ffff:7f00:1]:{port}",
    "six-compatible": "[::127.0.0.1]:{port}",
    "six-translated": "[64:ff9b::7f00:1]:{port}",
    "six-unspecified": "[::]:{port}",
}
# What only a parser that differs from libcurl's would take for an allowed host.
DISGUISED = {
    "circled": "①②⑦.⓪.⓪.①:{port}",
    "full-stops": "127。0。0。1:{port}",
    "wide": "１２７.0.0.1:{port}",
    "user": "allowed.example@127.0.0.1:{port}",
    "user-port": "allowed.example:80@127.0.0.1:{port}",
    "fragment": "127.0.0.1:{port}#@allowed.example",
    "query": "127.0.0.1:{port}?@allowed.example",
    "backslash": "127.0.0.1:{port}\\@allowed.example",
    "backslash-behind": "allowed.example\\@127.0.0.1:{port}",
    "encoded": "%31%32%37.0.0.1:{port}",
    "encoded-slash": "127.0.0.1:{port}%2f@allowed.example",
    "metadata": "169.254.169.254",
    "private": "10.0.0.1:{port}",
}
# Schemes that libcurl knows, and no release may use.
SCHEMES = ("file:///etc/passwd", "gopher://127.0.0.1:{port}/x", "dict://127.0.0.1:{port}/x")
SCHEMES += ("ftp://127.0.0.1:{port}/x", "ldap://127.0.0.1:{port}/x", "//127.0.0.1:{port}/x")


class _Inside(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(SECRET)))
        self.end_headers()
        self.wfile.write(SECRET)

    def log_message(self, *_):
        pass


class _Six(HTTPServer):
    address_family = socket.AF_INET6


@pytest.fixture(scope="module")
def inside():
    """What must not be asked, on one port of both loopbacks; `.asked` are the paths."""
    four = HTTPServer(("127.0.0.1", 0), _Inside)
    four.asked = []
    servers = [four]
    with contextlib.suppress(OSError):  # where there is no version 6
        servers.append(_Six(("::1", four.server_port), _Inside))
        servers[1].asked = four.asked
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield four
    for server in servers:
        server.shutdown()
        server.server_close()


def written(forms, port):
    """Whole addresses of forms, by name."""
    return {f"{name}.bin": f"http://{form.format(port=port)}/x" for name, form in forms.items()}


def moved(addresses):
    """Files that are each redirected to one of the addresses."""
    return {
        name: _head(302, Location=address.encode().decode("latin1"))
        for name, address in addresses.items()
    }


def others(port):
    """Schemes as addresses, by name."""
    return {f"{url[:4].strip(':/')}.bin": url.format(port=port) for url in SCHEMES}


def refused(portal, inside, name):
    """Ask for a file, which nobody inside may be asked for."""
    status, headers, body = ask(f"{portal.url}/downloads/pets/v1/{name}")
    assert status in (404, 502), body
    assert SECRET not in body
    assert b"root:" not in body
    assert "location" not in headers
    assert inside.asked == []


@pytest.fixture(scope="module")
def linked(start_portal, inside):
    """A portal whose release links to all of them, and may ask allowed.example only."""
    links = written(FORMS | DISGUISED, inside.server_port) | others(inside.server_port)
    with (
        FaultyGitLab(files={}, links=links) as gitlab,
        start_portal(gitlab=gitlab.url, asset_host="allowed.example", asset_networks=()) as portal,
    ):
        yield portal


@pytest.mark.parametrize("name", [*FORMS, *DISGUISED, *(url[:4].strip(":/") for url in SCHEMES)])
def test_a_link_to_it(linked, inside, name):
    refused(linked, inside, f"{name}.bin")


@pytest.fixture(scope="module")
def listed(start_portal, inside):
    """A portal that is told to ask all of these hosts, and no network that is not public."""
    links = written(FORMS, inside.server_port)
    hosts = [form.format(port=inside.server_port) for form in FORMS.values()]
    with (
        FaultyGitLab(files={}, links=links) as gitlab,
        start_portal(gitlab=gitlab.url, asset_host=hosts, asset_networks=()) as portal,
    ):
        yield portal


@pytest.mark.parametrize("name", FORMS)
def test_a_listed_name_that_leads_to_it(listed, inside, name):
    """As a public name does whose owner points it there, when it is looked up again."""
    refused(listed, inside, f"{name}.bin")


@pytest.fixture(scope="module")
def redirected(start_portal, inside):
    """A portal that may ask one store, which redirects to all of them; GitLab does so too."""
    port = inside.server_port
    addresses = written(FORMS | DISGUISED, port) | others(port)
    with FaultyGitLab(files=moved(addresses), address="127.0.0.5") as store:
        there = {f"store-{name}": f"{store.url}/{name}" for name in addresses}
        hosts = [host(store.url), *(form.format(port=port) for form in FORMS.values())]
        with (
            FaultyGitLab(files=moved(addresses), links=there) as gitlab,
            start_portal(
                gitlab=gitlab.url, asset_host=hosts, asset_networks=["127.0.0.5/32"]
            ) as portal,
        ):
            yield portal


@pytest.mark.parametrize("by", ["", "store-"])
@pytest.mark.parametrize("name", [*FORMS, *DISGUISED, *(url[:4].strip(":/") for url in SCHEMES)])
def test_a_redirect_to_it(redirected, inside, by, name):
    refused(redirected, inside, f"{by}{name}.bin")


def test_it_can_be_asked_where_that_is_allowed(start_portal, inside):
    """Or all of the above would prove nothing."""
    names = ("plain", "short", "decimal", "name", "six-mapped")
    links = written({name: FORMS[name] for name in names}, inside.server_port)
    hosts = [form.format(port=inside.server_port) for form in FORMS.values()]
    with (
        FaultyGitLab(files={}, links=links) as gitlab,
        start_portal(gitlab=gitlab.url, asset_host=hosts) as portal,
    ):
        for name in names:
            answer = ask(f"{portal.url}/downloads/pets/v1/{name}.bin")
            assert (answer[0], answer[2]) == (200, SECRET), name
    inside.asked.clear()
