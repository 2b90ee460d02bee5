"""A client of the save tools: curl with a form, and with JSON."""

import json
import tempfile
from pathlib import Path

from portal.http.client import ip_hash
from tests.support.running import ask, curl


def post(portal, path, *arguments, client, **headers):
    """A POST with curl; its status, headers (lower case) and body."""
    fields = [f"-H{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = curl("-D", "-", "-X", "POST", *fields, *arguments, portal.url + path, client=client)
    head, _, body = answer.partition(b"\r\n\r\n")
    while head.split(b" ", 2)[1] == b"100":
        head, _, body = body.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


def upload(portal, tool, content, client, name="Save.json", field="file", **headers):
    """Post a file in a form."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        form = f'{field}=@{file.name};filename="{name}"'
        return post(portal, f"/{tool}", "-F", form, client=client, **headers)


def opened(portal, tool, content, client, **more):
    """Upload as a program; what it is told."""
    headers = {"Accept": "application/json"} | more
    status, _, body = upload(portal, tool, content, client, **headers)
    assert status == 201, body
    return json.loads(body)


def tell(portal, said, what, client, **body):
    """Post JSON to one of the addresses of an upload; status and answer."""
    path = f"/{said['tool']}/{said['id']}/{what}"
    status, _, answer = post(
        portal, path, "--data-binary", json.dumps(body), client=client,
        Content_Type="application/json",
    )  # fmt: skip
    return status, json.loads(answer)


def get(portal, said, what, client, **headers):
    """Get one of the addresses of an upload."""
    path = f"/{said['tool']}/{said['id']}" + (f"/{what}" if what else "")
    return ask(portal.url + path, client, **headers)


def uses(portal, client):
    """What was recorded of a client: tool, event, user agent."""
    statement = "select tool, event, user_agent from tool_usage where ip_hash = ? order by id"
    return portal.rows(statement, ip_hash(client, ""))


def events(portal, client):
    """The events of a client, in their order."""
    return [event for _, event, _ in uses(portal, client)]
