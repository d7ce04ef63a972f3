"""Sets up the core and the single flight of a session, for its own token or for a token that a vault keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.sessions.core import SessionCore
from doorkey.transport.forked_pools import empty_in_children

if TYPE_CHECKING:
    from doorkey.renewal.state import TokenState
    from doorkey.sessions.options import SessionOptions
    from doorkey.tokens import OAuth2Token
    from doorkey.transport.library import Library

__all__: list[str] = []


class SharedToken(Protocol):
    """A token that is kept outside of the session and shared with other sessions."""

    @property
    def state(self) -> TokenState:
        """The state of the token."""
        ...

    def flight(self, core: SessionCore) -> SingleFlight[Any] | AsyncSingleFlight[Any]:
        """Return the single flight that renews the token for the session of `core`."""
        ...


def set_up(
    session: Any,
    options: SessionOptions,
    library: Library,
    token: OAuth2Token | None,
    origin: SessionCore | None = None,
) -> None:
    """Give `session` its core and its single flight, for its shared token, else for its own `token`.

    `origin` is the core of the session from which this one is derived.
    """
    if not session._blocking:  # import now, so that no event loop waits for it at the first call
        from doorkey.sessions import authorizations, fetching  # noqa: F401  # pyright: ignore[reportUnusedImport]
    if origin is None:  # a sibling uses the pool of another session
        empty_in_children(session)
    shared: SharedToken | None = session._shared
    if shared is not None:
        session._oauth = SessionCore(options, library, token, shared.state, origin)
        session._flight = shared.flight(session._oauth)
        return
    session._oauth = core = SessionCore(options, library, token, origin=origin)
    flight: Any = SingleFlight if session._blocking else AsyncSingleFlight
    session._flight = flight(core.slot, session._perform, options.clock)


def session_sharing(shared: SharedToken, kind: Any, options: Mapping[str, Any]) -> Any:
    """Return a session of the class `kind`, constructed with `options`, that uses the `shared` token."""
    session = kind.__new__(kind, **options)
    session._shared = shared  # before the constructor, which calls `set_up`
    session.__init__(**options)
    return session
