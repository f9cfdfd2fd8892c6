"""SQLAlchemy engines and sessions that sinks of one worker share, by database URL."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from .async_bridge import AsyncBridge

CONNECT_TIMEOUT_S = 5
POSTGRESQL_DRIVERS = ("psycopg", "asyncpg", "psycopg2")  # the first that is installed
SILENT_S_MAX = 30  # that a peer may leave sent data unacknowledged


class SessionManager:
    """Makes sessions for one database; `session_manager()` returns a new one.

    A Session for a URL such as `postgresql+psycopg://`, an AsyncSession for one with an async
    driver such as `postgresql+asyncpg://`, to be used in coroutines that the bridge runs.
    Connects when first used. Needs SQLAlchemy 2 in the application's environment.
    """

    def __init__(self, url: str, bridge: AsyncBridge) -> None:
        self._url = _with_driver(url)
        self._bridge = bridge
        self._lock = threading.Lock()
        self._engine: Any = None
        self._factory: Any = None

    @property
    def is_async(self) -> bool:
        """Whether the driver is an async one. Raises ValueError as `engine` does."""
        return bool(_dialect(self._url).is_async)

    @property
    def engine(self) -> Any:
        """The Engine or AsyncEngine.

        Raises ValueError for a URL that SQLAlchemy can't use, ImportError without it or its driver.
        """
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()
            return self._engine

    def __call__(self) -> Any:
        """Return a new Session or AsyncSession. Raises what `engine` raises."""
        engine = self.engine
        if self._factory is None:
            if self.is_async:
                from sqlalchemy.ext.asyncio import async_sessionmaker

                self._factory = async_sessionmaker(engine, expire_on_commit=False)
            else:
                from sqlalchemy.orm import sessionmaker

                self._factory = sessionmaker(engine, expire_on_commit=False)
        return self._factory()

    def close(self) -> None:
        """Close the connections."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        if self.is_async:
            self._bridge.run(engine.dispose(), timeout=CONNECT_TIMEOUT_S)
        else:
            engine.dispose()

    def __repr__(self) -> str:
        return "SessionManager(...)"  # a URL holds a password

    def _make_engine(self) -> Any:
        import sqlalchemy

        options = _engine_options(self._url)
        if self.is_async:
            from sqlalchemy.ext.asyncio import create_async_engine

            made = create_async_engine(self._url, **options)
            _begin_explicitly(made.sync_engine)
            return made
        plain = sqlalchemy.create_engine(self._url, **options)
        _begin_explicitly(plain)
        return plain


class SessionManagers:
    """One manager for each URL."""

    def __init__(self, bridge: AsyncBridge) -> None:
        self._bridge = bridge
        self._by_url: dict[str, SessionManager] = {}

    def of(self, section: Mapping[str, Any]) -> SessionManager | None:
        """Return the manager for a section's `url`, None when it has none."""
        url = section.get("url")
        if not isinstance(url, str):
            return None
        return self._by_url.setdefault(url, SessionManager(url, self._bridge))

    def close(self) -> None:
        """Close all of them."""
        for manager in self._by_url.values():
            manager.close()


def _engine_options(url: str) -> dict[str, Any]:
    """Options so that a server that is away is noticed, and parameters stay out of messages."""
    import sqlalchemy

    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True}
    parsed = sqlalchemy.engine.make_url(url)
    driver = parsed.get_driver_name()
    wanted: dict[str, Any] = {}
    if driver in ("psycopg", "psycopg_async", "psycopg2"):
        wanted = {"connect_timeout": CONNECT_TIMEOUT_S, "tcp_user_timeout": SILENT_S_MAX * 1000}
    elif driver == "asyncpg":
        wanted = {"timeout": CONNECT_TIMEOUT_S}
    given = {x: value for x, value in wanted.items() if x not in parsed.query}
    return {**options, "connect_args": given} if given else options


def _begin_explicitly(engine: Any) -> None:
    """Have SQLite's transactions begin when SQLAlchemy says so, which savepoints need.

    Source: SQLAlchemy's documentation of the SQLite dialect, "Serializable isolation / Savepoints".
    """
    if engine.dialect.name != "sqlite":
        return
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def url_mistake(url: str) -> str:
    """Return what is wrong with a database URL, without repeating it; "" when nothing is."""
    try:
        _dialect(_with_driver(url)).import_dbapi()
    except (ImportError, ValueError) as error:
        return str(error)
    return ""


def _with_driver(url: str) -> str:
    """Name a driver that is installed, where a URL of PostgreSQL names none."""
    scheme, separator, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres"):
        return url
    from importlib.util import find_spec

    installed = [name for name in POSTGRESQL_DRIVERS if find_spec(name)]
    return f"postgresql+{(installed or POSTGRESQL_DRIVERS)[0]}{separator}{rest}"


def _dialect(url: str) -> Any:
    try:
        import sqlalchemy
    except ImportError:
        raise ImportError("SQLAlchemy is not installed in this environment") from None
    try:
        return sqlalchemy.engine.make_url(url).get_dialect()
    except sqlalchemy.exc.ArgumentError:
        raise ValueError("url is no database URL, such as postgresql+psycopg://...") from None
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise ValueError(f"url: {error}") from None
