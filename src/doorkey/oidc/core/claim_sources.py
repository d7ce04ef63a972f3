"""Claims of other providers: aggregated and distributed claims (OpenID Connect Core §5.6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from doorkey.errors import VerificationError
from doorkey.values import Secret

MOST: Final = 100
"""The largest number of sources in one response."""


@dataclass(frozen=True, slots=True)
class AggregatedClaims:
    """Claims in a JWT of another provider. The JWT is not verified yet.

    names: the claims to read from the JWT.
    jwt: the JWT. Verify it with the keys of that provider, and read only `names`.
    """

    names: tuple[str, ...]
    jwt: Secret


@dataclass(frozen=True, slots=True)
class DistributedClaims:
    """Claims to fetch from another provider.

    names: the claims to read from the response.
    endpoint: the URL of the claims.
    access_token: the token for that URL, or None.
    """

    names: tuple[str, ...]
    endpoint: str
    access_token: Secret | None


def claim_sources(claims: Mapping[str, Any]) -> tuple[AggregatedClaims | DistributedClaims, ...]:
    """Return the sources that the members `_claim_names` and `_claim_sources` of `claims` describe.

    Raises `VerificationError` for malformed members, and for more than 100 sources.
    """
    if "_claim_names" not in claims and "_claim_sources" not in claims:
        return ()
    names, sources = _object(claims, "_claim_names"), _object(claims, "_claim_sources")
    if len(sources) > MOST:
        raise VerificationError("_claim_sources", f"has more than {MOST} sources")
    if not all(isinstance(source, str) and source in sources for source in names.values()):
        raise VerificationError("_claim_names", "names a source that _claim_sources does not have")
    return tuple(
        _source(source, tuple(name for name, of in names.items() if of == key)) for key, source in sources.items()
    )


def only_named(claims: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the `claims` of a source that are in `names`. A source must not supply other claims."""
    return {name: claims[name] for name in names if name in claims}


def _object(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: object = claims.get(name)
    if not isinstance(found, Mapping):
        raise VerificationError(name, "is not a JSON object")
    return cast("Mapping[str, Any]", found)


def _source(given: object, names: tuple[str, ...]) -> AggregatedClaims | DistributedClaims:
    source: Mapping[str, Any] = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {}
    jwt, endpoint, token = source.get("JWT"), source.get("endpoint"), source.get("access_token")
    if isinstance(jwt, str) and jwt and endpoint is None:
        return AggregatedClaims(names, Secret(jwt))
    if isinstance(endpoint, str) and endpoint and jwt is None and (token is None or isinstance(token, str)):
        return DistributedClaims(names, endpoint, Secret(token) if token else None)
    raise VerificationError("_claim_sources", "has a source with neither a JWT nor an endpoint")
