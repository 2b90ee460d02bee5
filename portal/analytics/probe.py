"""Test of the operator's Umami: a line for each step, with what to do where it fails."""

import sys
from collections.abc import AsyncIterator

from portal import __version__
from portal.analytics.client import ANSWER_BYTES, NotSent, UmamiClient, Unanswered
from portal.analytics.events import Visitor
from portal.analytics.faults import fault_of
from portal.analytics.payload import clean
from portal.analytics.share import STRANGE, Share
from portal.analytics.tracker import fetched
from portal.config.model import UmamiConfig
from portal.findings import Finding, report
from portal.relay.curl import CurlClient

SECONDS = 10.0
# What is left behind: one custom event of this name, which is no view of a page, by one visitor who
# is the same each time. A later look at Umami's list of events shows what it was.
EVENT, ADDRESS = "portal_probe", "/portal-probe"
VISITOR = Visitor("probe", f"Mozilla/5.0 (X11; Linux x86_64) portal-probe/{__version__}")
SENT = (
    f"sending one event: {EVENT}, of the address {ADDRESS}; it counts as no page view,"
    " and stays in Umami's list of events"
)


async def probe(umami: UmamiConfig) -> int:
    """Print each finding of a Umami that has a website; the exit status, 1 unless all are fine."""
    client = CurlClient(force_instance=True, max_body_size=ANSWER_BYTES)
    sys.stdout.write(f"{SENT}\n")
    try:
        return await report(findings(umami, UmamiClient(umami.url, client)))
    finally:
        client.close()


async def findings(umami: UmamiConfig, client: UmamiClient) -> AsyncIterator[Finding]:
    """Every step that can be taken, as each ends; without the first no other is."""
    alive = await _alive(client)
    yield alive
    if not alive.fine:
        return
    yield await _event(umami, client)
    _, fault = await fetched(client)
    own = f"{fault}; pages carry the portal's own tracker meanwhile"
    yield Finding(not fault, own if fault else "its tracker can be fetched")
    if umami.share:
        yield await _share(umami, client)


async def _alive(client: UmamiClient) -> Finding:
    try:
        answer = await client.get("/api/heartbeat", SECONDS)
    except NotSent:
        return Finding(False, f"nobody listens at {client.url}")
    except Unanswered:
        return Finding(False, f"no answer within {SECONDS:.0f} seconds from {client.url}")
    if answer.status != 200:
        advice = "does the address end with Umami's BASE_PATH?"
        return Finding(False, f"{client.url}/api/heartbeat answers {answer.status}: {advice}")
    return Finding(True, f"Umami answers at {client.url}")


async def _event(umami: UmamiConfig, client: UmamiClient) -> Finding:
    payload = {"website": umami.website, "hostname": "portal", "url": ADDRESS, "name": EVENT}
    event = clean({"type": "event", "payload": {**payload}}, umami.website)
    try:
        answer = await client.post("/api/send", event.by(VISITOR, b"probe").json(), SECONDS)
    except (NotSent, Unanswered):
        return Finding(False, f"an event got no answer within {SECONDS:.0f} seconds")
    if fault := fault_of(answer, umami.website):
        return Finding(False, fault)
    return Finding(True, f"it knows the website {umami.website}, and has stored the event")


async def _share(umami: UmamiConfig, client: UmamiClient) -> Finding:
    try:
        await Share(umami, client).figures()
    except (NotSent, Unanswered):
        return Finding(False, "its share page gave no answer in time")
    except STRANGE as error:
        return Finding(False, f"its share page {umami.share} gives no figures: {error}")
    return Finding(True, f"its share page {umami.share} gives figures")
