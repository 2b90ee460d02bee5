"""The errors of a real Umami 3.1, as its answers of status 500 carry them, without their stacks.

Those with SQLite were read from the SQLite build while its database was treated so; those with
PostgreSQL follow `mapDriverError` of @prisma/adapter-pg 7.8 and the codes of @prisma/client 7.8.
"""


def _driver(code, kind, model="Website", **cause):
    error = {"name": "DriverAdapterError", "cause": {**cause, "kind": kind}, "message": kind}
    return {"code": code, "meta": {"modelName": model, "driverAdapterError": error}}


def _sqlite(code, number, message):
    """What Prisma has no code for."""
    cause = {"originalCode": code, "originalMessage": message, "kind": "sqlite",
             "extendedCode": number, "message": message}  # fmt: skip
    return {"name": "DriverAdapterError", "cause": cause, "message": message}


def _node(code, message):
    """What fails before a query can be made."""
    text = f"\nInvalid `prisma.website.findUnique()` invocation:\n\n\n{message}"
    return {"code": code, "meta": {"modelName": "Website"},
            "name": "PrismaClientKnownRequestError", "message": text}  # fmt: skip


BUSY = {"originalCode": "SQLITE_BUSY", "originalMessage": "database is locked"}
GEO = "ENOENT: no such file or directory, stat '/opt/umami/geo/GeoLite2-City.mmdb'"
# By the names that "database" has in the stand-in's modes. Only where its value is `WRITE_ONLY`
# is a website still looked up.
FAULTS = {
    "away": _driver("P1008", "SocketTimeout", **BUSY),
    "read-only": _driver("P2010", "SocketTimeout", **BUSY),
    "not migrated": _driver(
        "P2021", "TableDoesNotExist", originalCode="SQLITE_ERROR",
        originalMessage="no such table: main.website", table="main.website",
    ),
    "older": _driver(
        "P2022", "ColumnNotFound", "WebsiteEvent", originalCode="SQLITE_ERROR",
        originalMessage="no such column: lcp", column="lcp",
    ),
    "no extension": _node(
        "ERR_LOAD_SQLITE_EXTENSION",
        "/opt/umami/db/sqlite/ext/regexp.so: cannot open shared object file: No such file or"
        " directory",
    ),
    "no folder": _node("ERR_SQLITE_ERROR", "unable to open database file"),
    "junk": _sqlite("SQLITE_NOTADB", 26, "file is not a database"),
    "not writable": _sqlite("SQLITE_READONLY", 8, "attempt to write a readonly database"),
    "moved": _sqlite("SQLITE_READONLY_DBMOVED", 1032, "attempt to write a readonly database"),
    "stopped": _driver("P1001", "DatabaseNotReachable", host="127.0.0.1", port=5432),
    "other password": _driver("P1000", "AuthenticationFailed", user="umami"),
    "other name": _driver("P1003", "DatabaseDoesNotExist", db="umami"),
    "geo": {"errno": -2, "code": "ENOENT", "syscall": "stat", "name": "Error", "message": GEO,
            "path": "/opt/umami/geo/GeoLite2-City.mmdb"},
    "other": {"name": "Error", "message": "something\nelse", "stack": "at maxmind.js: P2021"},
}  # fmt: skip
WRITE_ONLY = ("read-only", "older", "not writable", "moved")
