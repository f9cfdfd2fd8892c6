"""SQLAlchemy engines and sessions that sinks of one worker share, by database URL."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from .async_bridge import AsyncBridge

CONNECT_TIMEOUT_S = 5


class SessionManager:
    """Makes sessions for one database; `session_manager()` returns a new one.

    A Session for a URL such as `postgresql+psycopg://`, an AsyncSession for one with an async
    driver such as `postgresql+asyncpg://`, to be used in coroutines that the bridge runs.
    Connects when first used. Needs SQLAlchemy 2 in the application's environment.
    """

    def __init__(self, url: str, bridge: AsyncBridge) -> None:
        self._url = url
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

        if self.is_async:
            from sqlalchemy.ext.asyncio import create_async_engine

            return create_async_engine(self._url, pool_pre_ping=True, hide_parameters=True)
        return sqlalchemy.create_engine(self._url, pool_pre_ping=True, hide_parameters=True)


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
