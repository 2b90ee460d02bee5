"""What a real Umami 3.1 takes, refuses, takes for a robot and stores, for the stand-in."""

import hashlib
import json
import re
import time
from ipaddress import ip_address, ip_network

from tests.support.umami.faults import FAULTS, WRITE_ONLY

WEBSITE = "5f1e7a2c-0b7d-4c5e-9a41-3d2f6b8c9e10"
# What isbot() makes of user agents, for those that were tried.
BOT = re.compile(
    r"^(git|JGit|Tornado|curl|python-requests)/|HeadlessChrome|^Mozilla/5\.0$|bot|crawl|spider",
    re.IGNORECASE,
)
# Those of the schema in src/app/api/send/route.ts; `id` has none.
LIMITS = {"name": 50, "tag": 50, "hostname": 100, "screen": 11, "language": 35}
# What a geo database is not asked about: IP_RANGES of the package is-localhost-ip. (Python's
# is_private has the tests' own addresses in it.)
PRIVATE = [
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1",
    )
]
# What z.uuid() takes: RFC 9562's versions and variant, and the two of one digit.
UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|0{8}-0{4}-0{4}-0{4}-0{12}|f{8}-f{4}-f{4}-f{4}-f{12}",
    re.IGNORECASE,
)
KINDS = ("event", "identify", "performance")
VITALS = {"lcp": 60_000, "inp": 60_000, "cls": 100, "fcp": 60_000, "ttfb": 60_000}
ADDRESS_HEADERS = ("true-client-ip", "cf-connecting-ip", "x-real-ip", "x-forwarded-for")


class Refused(Exception):  # noqa: N818 - an answer
    """A status, a reason, and what else stands in the error."""


class Store:
    """The events, kept over restarts."""

    def __init__(self, directory):
        self.directory = directory
        self.file = (directory / "stored.jsonl").open("a+", encoding="utf-8")
        self.asked = (directory / "asked.jsonl").open("a", encoding="utf-8")
        self.file.seek(0)
        self.events = [json.loads(line) for line in self.file]
        self.database = "there"

    def take(self, body, headers, peer, via):
        """Store one event as /api/send does; its answer. Raises Refused."""
        if not isinstance(body, dict) or body.get("type") not in KINDS:
            raise wrong("type", "Invalid option")
        payload = checked(body.get("payload"))
        if self.database not in ("there", *WRITE_ONLY):
            raise failed(self.database)
        if payload["website"] != WEBSITE:
            raise Refused(400, "Website not found.")
        agent = payload.get("userAgent") or headers.get("user-agent", "")
        address = address_of(payload, headers, peer)
        if not any(ip_address(address) in network for network in PRIVATE):
            raise failed("geo")
        if BOT.search(agent):
            return {"beep": "boop"}
        if self.database != "there":
            raise failed(self.database)
        moment = payload.get("timestamp") or time.time_ns() // 1_000_000 / 1000
        month = time.strftime("%Y-%m", time.gmtime(min(moment, 1 << 40)))
        who = [payload["id"]] if payload.get("id") else [address, agent, month]
        session = hashlib.sha256("\n".join([payload["website"], *who]).encode()).hexdigest()[:32]
        visit, iat = visit_of(headers, session, moment, "timestamp" in payload)
        self.keep({**payload, "ip": address, "userAgent": agent, "type": body["type"], "via": via,
                   "session": session, "visit": visit, "created_at": moment,
                   "arrived": time.time()})  # fmt: skip
        texts = [text for text in flat(payload.get("data") or {}) if isinstance(text, str)]
        if any(len(text) > 500 or "\0" in text for text in texts):
            raise Refused(500, "value too long, after the event was saved")
        return {"cache": f"eyJ.{session}.{visit}.{iat}", "sessionId": session, "visitId": visit}

    def keep(self, event):
        """Write it down."""
        event = {n: v[:500] if n in ("url", "title") else v for n, v in event.items()}
        self.events.append(event)
        self.file.write(json.dumps(event) + "\n")
        self.file.flush()

    def between(self, start, end):
        """Page views of that time, in milliseconds."""
        return [
            e for e in self.events
            if e["type"] == "event" and not e.get("name") and start <= 1000 * e["created_at"] <= end
        ]  # fmt: skip


def visit_of(headers, session, moment, timed):
    """The visit, and when it began: of the token that came with the event, or of the full hour.
    A token's visit ends after 30 minutes, but for events with a time of their own."""
    hour = hashlib.sha256(f"{session} {int(moment) // 3600}".encode()).hexdigest()[:8]
    now = int(time.time())
    token = headers.get("x-umami-cache", "").split(".")
    if len(token) != 4:
        return hour, now
    visit, iat = token[2], int(token[3])
    return (hour, now) if not timed and now - iat > 1800 else (visit, iat)


def failed(database):
    """Status 500, with the error of such a database."""
    return Refused(500, "Server error", {"errorObject": FAULTS[database]})


def wrong(path, reason):
    """Status 400, with a tree of errors as z.treeifyError makes it."""
    tree = {"errors": [reason]}
    for name in reversed(path.split(".")):
        tree = {"errors": [], "properties": {name: tree}}
    return Refused(400, "Bad request", tree)


def checked(payload):
    """The payload, if its form is right. Raises Refused."""
    if not isinstance(payload, dict):
        raise wrong("payload", "Invalid input: expected object")
    if not isinstance(website := payload.get("website"), str) or not UUID.fullmatch(website):
        raise wrong("payload.website", "Invalid UUID")
    for name, limit in LIMITS.items():
        value = payload.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > limit):
            raise wrong(f"payload.{name}", "Too big or of another type")
    if not isinstance(payload.get("data", {}), dict):
        raise wrong("payload.data", "Invalid input: expected record")
    for name, most in VITALS.items():
        value = payload.get(name, 0)
        if type(value) not in (int, float) or not 0 <= value <= most:
            raise wrong(f"payload.{name}", "Too big or of another type")
    if re.fullmatch(r"\d+", str(payload.get("timestamp"))):
        payload["timestamp"] = int(payload["timestamp"])  # z.coerce takes its digits as well
    elif "timestamp" in payload:
        raise wrong("payload.timestamp", "Invalid input: expected int, received number")
    return payload


def address_of(payload, headers, peer):
    """Whom Umami believes the event to be of."""
    named = [headers[name] for name in ADDRESS_HEADERS if name in headers]
    return (payload.get("ip") or next(iter(named), "") or peer).split(",")[0].strip()


def flat(value):
    """Every value in nested data."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from flat(one)
    else:
        yield value
