"""What Umami's answer to an event says about its installation, in words for the operator.

An answer of status 500 has the error serialized in it (`errorObject`): Prisma's code, the code of
SQLite or of Node, and a message (src/app/api/send/route.ts). They were read from a running Umami
3.1 with SQLite, but for a full, broken or read-only disk, which are SQLite's own codes;
PostgreSQL's are those of @prisma/adapter-pg and @prisma/client 7.8.
"""

import json
from typing import Any

from portal.analytics.client import UmamiResponse

INSTALL = "run umami-install again (docs/deploy.md)"
# The first line of which a word is in the error decides: a locked database is also P1008, and one
# that was moved is also "readonly".
_FAULTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("ERR_LOAD_SQLITE_EXTENSION",),
        "its SQLite extension cannot be loaded: db/sqlite/ext/regexp.so must be in the folder of"
        f" its server.js; {INSTALL}",
    ),
    (
        ("P2021", "TableDoesNotExist", "P2022", "ColumnNotFound"),
        "its database is not migrated to its version: Umami itself never does that; " + INSTALL,
    ),
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", "database is locked"),
        "its database is locked by another program: Umami does not wait for locks, so not even"
        " a reader may open the file while Umami runs",
    ),
    (
        ("SQLITE_READONLY_DBMOVED",),
        "its database file was moved or replaced while Umami ran: restart umami.service",
    ),
    (
        ("SQLITE_READONLY", "SQLITE_PERM", "readonly database", "EACCES"),
        "it may not write its database: the file and its folder must belong to Umami's user",
    ),
    (
        ("SQLITE_CANTOPEN", "unable to open database file"),
        "it cannot open its database: look at DATABASE_URL, at the folder and its owner",
    ),
    (
        ("SQLITE_NOTADB", "SQLITE_CORRUPT"),
        "its database file is damaged or no SQLite database: restore a copy",
    ),
    (("SQLITE_FULL", "ENOSPC", "53100"), "the disk of its database is full"),
    (("SQLITE_IOERR",), "the disk of its database cannot be read or written"),
    (
        ("P1000", "AuthenticationFailed", "P1010", "DatabaseAccessDenied"),
        "PostgreSQL does not accept the user or the password of DATABASE_URL",
    ),
    (
        ("P1003", "DatabaseDoesNotExist"),
        "PostgreSQL has no database of the name in DATABASE_URL: create it, then " + INSTALL,
    ),
    (("TooManyConnections", "P2037"), "PostgreSQL accepts no more connections"),
    (
        ("P1001", "DatabaseNotReachable", "P1017", "ConnectionClosed", "P1008", "P1002", "57P0"),
        "its database is away: PostgreSQL does not run, or not at the address of DATABASE_URL",
    ),
    (
        (".mmdb", "maxmind"),
        "it looks a public address up in a geo database that it does not have: set GEOLITE_DB_PATH"
        " in its environment, or build it with its geo database",
    ),
)


def fault_of(answer: UmamiResponse, website: str) -> str:
    """Why an event was not stored, and what to do; "" if it was stored."""
    told = answer.json()
    error = _object(_object(told).get("error"))
    if answer.status < 300 and isinstance(told, dict):
        return _not_stored(told, answer)
    if answer.status == 400:
        if error.get("message") == "Website not found.":
            return f"it does not know the website {website}: add it in Umami, or correct the id"
        return f"it refuses the form of the event: {_reasons(error) or answer.text()}"
    if answer.status == 403:
        return "it refuses the sender's address (403): take fd00::/8 out of its IGNORE_IP"
    if answer.status >= 500 and (cause := error.get("errorObject")):
        return _cause(cause)
    return f"it answers {answer.status} to an event: {answer.text()}"


def _not_stored(told: dict[str, Any], answer: UmamiResponse) -> str:
    if "sessionId" in told:
        return ""
    if "beep" in told:
        return (
            "it takes the portal for a robot and stores nothing: set DISABLE_BOT_CHECK=1 in its"
            " environment"
        )
    return f"it takes an event and stores nothing: {answer.text()}"


def _cause(cause: Any) -> str:
    serialized = json.dumps(_without_stack(cause))
    for words, sentence in _FAULTS:
        if word := next((word for word in words if word in serialized), ""):
            return f"{sentence} ({word})"
    message = _object(cause).get("message")
    said = " ".join(message.split()) if isinstance(message, str) else serialized
    return f"it fails at an event: {said[:200]}"


def _without_stack(value: Any) -> Any:
    """A stack trace names files, which may be called like an error."""
    if not isinstance(value, dict):
        return value
    return {name: _without_stack(one) for name, one in value.items() if name != "stack"}


def _reasons(error: dict[str, Any]) -> str:
    """Of a tree of errors (`z.treeifyError`): each with the path of its field."""
    found: list[str] = []
    trees = [("", error)]
    while trees:
        path, tree = trees.pop()
        reasons = tree.get("errors")
        found += [f"{path} {reason}".strip() for reason in reasons or [] if isinstance(reason, str)]
        fields = _object(tree.get("properties"))
        trees += [(f"{path}.{name}".strip("."), _object(field)) for name, field in fields.items()]
    return "; ".join(found)[:200]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
