"""What an error of a database means for the batch that was to be written."""

from __future__ import annotations

import sqlalchemy as sa

# Classes of SQLSTATE: connection, conflict of transactions, resources, operator's intervention.
# Source: PostgreSQL's documentation, appendix A.
_PASSING = ("08", "40", "53", "57P", "55P03", "25006")
_SQLITE_PASSING = ("locked", "unable to open", "disk i/o error", "is full", "readonly")


def is_unavailable(error: BaseException) -> bool:
    """Tell whether the same transaction may well succeed later."""
    if isinstance(error, (OSError, TimeoutError, sa.exc.TimeoutError)):
        return True
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = _sqlstate(error)
    if state:
        return state.startswith(_PASSING)
    if _is_sqlite(error):
        text = str(error.orig).lower()
        return any(word in text for word in _SQLITE_PASSING)
    return isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))


def is_about_a_row(error: sa.exc.SQLAlchemyError) -> bool:
    """Tell whether one of the rows is to blame: a constraint, a value that does not fit."""
    if isinstance(error, (sa.exc.IntegrityError, sa.exc.DataError)):
        return True
    if isinstance(error, sa.exc.DBAPIError):
        state = _sqlstate(error)
        if state:
            return state.startswith(("22", "23", "42804"))  # data, integrity, datatype mismatch
        # What the driver can't send, such as a list for an integer.
        return not is_unavailable(error) and not isinstance(error, sa.exc.OperationalError)
    return isinstance(error, (sa.exc.StatementError, sa.exc.CompileError))


def was_made_meanwhile(error: sa.exc.DBAPIError) -> bool:
    """Tell whether a table could not be made because another transaction has just made it.

    PostgreSQL says so even to IF NOT EXISTS: unique_violation in its catalogue, duplicate_table,
    duplicate_object.
    """
    return _sqlstate(error) in ("23505", "42P07", "42710")


def reason(error: BaseException) -> str:
    """Return what the database or its driver said, on one line and without the statement."""
    said = error.orig if isinstance(error, sa.exc.StatementError) and error.orig else error
    text = " ".join(str(said).split()) or type(said).__name__
    return text[:500]


def _sqlstate(error: sa.exc.DBAPIError) -> str:
    for name in ("sqlstate", "pgcode"):
        state = getattr(error.orig, name, None)
        if isinstance(state, str):
            return state
    return ""


def _is_sqlite(error: sa.exc.DBAPIError) -> bool:
    kinds = [kind.__module__ for kind in type(error.orig).__mro__]
    return any("sqlite" in module for module in kinds)
