"""An OpenID provider in this process that misbehaves on demand, on the loopback server of the tests.

`log_in(url)` is the browser of a user: it takes the URL of an authorization request and returns the response. `changed`
(claims; None removes one), `header` and `forges` change the next ID tokens.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from doorkey.jose.encryption import encrypt
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key
from doorkey.jose.signing import sign
from doorkey.oidc.core.hashes import half_hash
from doorkey.oidc.logout import EVENT
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Exchange, Hostile, Reply, Whole, reply

CLIENT, SECRET = "rp", "a-client-secret-of-at-least-32-bytes"
HOME = "https://rp.example/cb"
SUB = "248289761001"


@cache
def key_for(alg: str, number: int = 0) -> Key:
    """Return the key of the provider with this number, made once for all tests."""
    return generate_key(alg)


@dataclass(frozen=True, slots=True)
class Signer:
    """How the provider signs: with which key, and what it publishes of it."""

    alg: str = "ES256"
    number: int = 0
    kid: str | None = "k0"
    published: bool = True

    @property
    def jwk(self) -> dict[str, Any]:
        public = {name: value for name, value in key_for(self.alg, self.number).public_jwk().items() if name != "kid"}
        return {**public, "use": "sig", **({} if self.kid is None else {"kid": self.kid})}

    def sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        key = key_for(self.alg, self.number)
        kid = {} if self.kid is None else {"kid": self.kid}
        bare = {name: value for name, value in key.as_dict(is_private=True).items() if name != "kid"}
        return sign(claims, bare, alg=self.alg, header={**kid, **header})


@dataclass
class OpenIDProvider:
    """The provider; its attributes are what it does from now on."""

    server: Hostile
    clock: Clock
    signer: Signer = field(default_factory=Signer)
    published: list[dict[str, Any]] | None = None
    """The key set; None: the key of the signer."""
    changed: dict[str, Any] = field(default_factory=dict[str, Any])
    header: dict[str, Any] = field(default_factory=dict[str, Any])
    forges: bool = False
    """Whether signatures are made with another key than the published one."""
    hmac_secret: str | None = None
    unsigned: bool = False
    encrypts_to: dict[str, Any] | None = None
    omits: tuple[str, ...] = ()
    """Hashes that the provider leaves out of its ID tokens."""
    wrong: tuple[str, ...] = ()
    """Hashes that are wrong."""
    user: dict[str, Any] = field(default_factory=lambda: {"sub": SUB})
    userinfo_signer: Signer | None = None
    tokens: dict[str, Any] = field(default_factory=dict[str, Any])
    """Members of token responses that differ from the defaults; None removes one."""
    renewed_id_token: bool = True
    in_channel: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Claims that differ in one channel, "front" or "back"."""
    keeps_connections: bool = False
    """Whether a connection carries more than one request."""
    issued: int = 0
    _logins: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def __post_init__(self) -> None:
        self.server.on("/.well-known/openid-configuration", self._answering(self._metadata))
        self.server.on("/jwks", self._answering(self._jwks))
        self.server.on("/token", self._answering(self._token))
        self.server.on("/userinfo", self._answering(self._userinfo))

    @property
    def issuer(self) -> str:
        return self.server.url("")

    @property
    def keys(self) -> list[dict[str, Any]]:
        return [self.signer.jwk] if self.published is None else self.published

    @property
    def metadata(self) -> dict[str, Any]:
        paths = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "end_session": "logout"}
        return {
            "issuer": self.issuer,
            **{f"{name}_endpoint": self.server.url(f"/{path}") for name, path in paths.items()},
            "jwks_uri": self.server.url("/jwks"),
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "EdDSA", "PS256", "HS256", "none"],
            "userinfo_signing_alg_values_supported": ["ES256", "RS256"],
        }

    def request_count(self, path: str) -> int:
        """Return how many requests came to `path`."""
        return len(self.server.to(path))

    # -- the front channel ---------------------------------------------------------------------------------------------

    def log_in(self, url: str) -> Any:
        """Return where the browser comes back after the login that `url` begins: a URL, or the posted form."""
        asked = dict(parse_qsl(urlsplit(url).query))
        kinds = asked["response_type"].split()
        back: dict[str, str] = {"state": asked["state"]}
        if "code" in kinds:
            back["code"] = f"code-{len(self._logins)}"
            self._logins[back["code"]] = asked
        if "token" in kinds:
            back |= {"access_token": self._access_token(), "token_type": "Bearer", "expires_in": "300"}
        if "id_token" in kinds:
            came = {"access_token": back.get("access_token"), "code": back.get("code")}
            back["id_token"] = self.id_token(asked, channel="front", **came)
        return self._returned(asked, kinds, back)

    def fail(self, url: str, error: str) -> Any:
        """Return where the browser comes back with an `error`."""
        asked = dict(parse_qsl(urlsplit(url).query))
        return self._returned(asked, asked["response_type"].split(), {"error": error, "state": asked["state"]})

    def _returned(self, asked: dict[str, str], kinds: list[str], back: dict[str, str]) -> Any:
        mode = asked.get("response_mode") or ("query" if kinds == ["code"] else "fragment")
        if mode == "form_post":
            return back
        return f"{HOME}{'?' if mode == 'query' else '#'}{urlencode(back)}"

    # -- tokens --------------------------------------------------------------------------------------------------------

    def id_token(
        self,
        asked: dict[str, str],
        *,
        channel: str = "back",
        access_token: str | None = None,
        code: str | None = None,
    ) -> str:
        """Return an ID token of the login that the authorization request `asked` for."""
        alg = "HS256" if self.hmac_secret else self.signer.alg
        hashes = {"at_hash": access_token, "c_hash": code if channel == "front" else None}
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": SUB,
            "aud": CLIENT,
            "exp": int(self.clock()) + 300,
            "iat": int(self.clock()),
            "nonce": asked.get("nonce"),
            **({"auth_time": int(self.clock())} if "max_age" in asked else {}),
            **({"acr": asked["acr_values"].split()[0]} if "acr_values" in asked else {}),
            **{
                name: half_hash(f"{value}-" if name in self.wrong else value, alg)
                for name, value in hashes.items()
                if value and name not in self.omits and not self.unsigned
            },
            **self.changed,
            **self.in_channel.get(channel, {}),
        }
        return self.signed({name: value for name, value in claims.items() if value is not None})

    def signed(self, claims: dict[str, Any]) -> str:
        """Return `claims` as the provider signs and encrypts them now."""
        if self.unsigned:
            token = _unsigned(claims)
        elif self.hmac_secret:
            secret = f"another{self.hmac_secret}" if self.forges else self.hmac_secret
            token = sign(claims, secret.encode(), alg="HS256", header=self.header)
        elif self.forges:
            forger = Signer(self.signer.alg, 9, self.signer.kid)
            token = forger.sign(claims, self.header)
        else:
            token = self.signer.sign(claims, self.header)
        if self.encrypts_to is not None:
            token = encrypt(token, self.encrypts_to, alg="ECDH-ES+A128KW", enc="A128GCM", header={"cty": "JWT"})
        return token

    def logout_token(self, **changed: Any) -> str:
        """Return a logout token for the user, changed by `changed`; None removes a claim."""
        self.issued += 1
        now = int(self.clock())
        good: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": f"j-{self.issued}",
            "sub": SUB,
        }
        claims: dict[str, Any] = {**good, "sid": "sid-1", "events": {EVENT: {}}, **changed}
        with self.typed("logout+jwt"):
            return self.signed({name: value for name, value in claims.items() if value is not None})

    @contextmanager
    def typed(self, typ: str) -> Generator[None]:
        before, self.header = self.header, {**self.header, "typ": typ}
        try:
            yield
        finally:
            self.header = before

    def _access_token(self) -> str:
        self.issued += 1
        return f"at-{self.issued}"

    def _answering(self, answer: Callable[[Exchange], bytes]) -> Reply:
        if self.keeps_connections:
            return Whole(lambda exchange: exchange.send(answer(exchange)))

        def handle(exchange: Exchange) -> None:
            exchange.send(answer(exchange).replace(b"Content-Length", b"Connection: close\r\nContent-Length", 1))

        return handle

    # -- the back channel ----------------------------------------------------------------------------------------------

    def _metadata(self, _: Exchange) -> bytes:
        return reply(json=self.metadata)

    def _jwks(self, _: Exchange) -> bytes:
        return reply(json={"keys": self.keys})

    def _token(self, exchange: Exchange) -> bytes:
        form, access_token = exchange.request.form, self._access_token()
        asked = self._logins.get(form.get("code", ""), {})
        members: dict[str, Any] = {"access_token": access_token, "token_type": "Bearer", "expires_in": 300}
        members["refresh_token"] = f"rt-{self.issued}"
        renews = form["grant_type"] == "refresh_token"
        if not renews or self.renewed_id_token:
            brought = {} if renews else asked
            members["id_token"] = self.id_token(brought, access_token=access_token, code=form.get("code"))
        members |= self.tokens
        return reply(json={name: value for name, value in members.items() if value is not None})

    def _userinfo(self, exchange: Exchange) -> bytes:
        if self.userinfo_signer is None:
            return reply(json=self.user)
        claims = {"iss": self.issuer, "aud": CLIENT, **self.user}
        token = self.userinfo_signer.sign(claims, {})
        if self.encrypts_to is not None:
            token = encrypt(token, self.encrypts_to, alg="ECDH-ES+A128KW", enc="A128GCM", header={"cty": "JWT"})
        return reply(200, token, {"Content-Type": "application/jwt"})


def _unsigned(claims: dict[str, Any]) -> str:
    import base64
    import json

    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return "".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() + "." for part in parts)
