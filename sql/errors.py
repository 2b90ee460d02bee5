"""Exceptions of this package. It raises no other exception and none of sqlite3's."""


class SqlError(Exception):
    """Base of all below. The text is for the operator, never for a client."""


class StatementError(SqlError):
    """A named statement is missing, there twice, or not in the form of `queries/*.sql`."""


class MigrationError(SqlError):
    """The database is newer than this code, or cannot be brought up to it."""


class ReadError(SqlError):
    """The database cannot be read now."""


class DamagedError(ReadError):
    """Something in the database is no part of one: it will not be readable later either."""


class RecordError(SqlError):
    """An event could neither be committed nor written to the spill file: it is not recorded."""


class UpkeepError(SqlError):
    """The totals could not be brought up to date, or a command of the operator's has failed."""


class OutboxError(SqlError):
    """The outbox cannot be read or written now; what is in it stays as it is."""


class CatalogError(SqlError):
    """The catalog's index cannot be written now, or is damaged; it can be made again."""
