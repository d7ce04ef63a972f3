"""Credentials: frozen values, each of which names one token and shows no secret."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Any

import pytest

from doorkey import ClientCredentials, JWTBearer, RefreshToken, ResourceOwnerCredentials, TokenExchange
from doorkey.errors import InvalidGrant, UsageError
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.values import Secret
from doorkey.wire.messages import Pairs

Make = Callable[[], Any]

SECRET = "s3cr3t"
EVERY_KIND: dict[str, Make] = {
    "client": lambda: ClientCredentials("c", SECRET, ("a", "b"), ("client_secret_post",), ("aud",), ("https://r",)),
    "owner": lambda: ResourceOwnerCredentials("c", SECRET, ("a",)).with_username_password("u", SECRET),
    "refresh": lambda: RefreshToken("c", SECRET, refresh_token=SECRET),
    "assertion": lambda: JWTBearer("c", SECRET, assertion=SECRET),
    "exchange": lambda: TokenExchange("c", SECRET, subject_token=SECRET, actor_token=SECRET),
    "jwk": lambda: ClientCredentials("c", {"kty": "oct", "k": SECRET}),
    "bytes": lambda: ClientCredentials("c", SECRET.encode()),
}
each = pytest.mark.parametrize("make", EVERY_KIND.values(), ids=EVERY_KIND.keys())


@each
def test_equal_credentials_are_one_key_in_a_cache(make: Make) -> None:
    cache: BoundedCache[Any, object] = BoundedCache()
    assert make() == make()
    assert cache.get(make(), set) is cache.get(make(), set)
    assert len(cache) == 1


@each
def test_credentials_that_differ_in_anything_are_two_keys(make: Make) -> None:
    one = make()
    others: list[Any] = [
        replace(one, client_id="d"),
        replace(one, client_secret="other"),
        replace(one, scopes=("z",)),
        replace(one, auth_methods=("none",)),
        replace(one, audience="elsewhere"),
        replace(one, resource="https://elsewhere"),
    ]
    assert len({one, *others}) == 7


@dataclass
class Unhashable:
    """A key object, or a base of methods and providers of tokens: equal to others, and so without a hash."""

    name: str


@dataclass
class UnhashableCallable(Unhashable):
    """A method, or a provider of tokens."""

    def __call__(self) -> str:
        return self.name


BY_IDENTITY: dict[str, Callable[[Any], Any]] = {
    "a key": lambda part: ClientCredentials("c", part),
    "a method": lambda part: ClientCredentials("c", SECRET, auth_methods=(part,)),
    "an assertion": lambda part: JWTBearer("c", SECRET, assertion=part),
    "a subject token": lambda part: TokenExchange("c", SECRET, subject_token=part),
}


@pytest.mark.parametrize("make", BY_IDENTITY.values(), ids=BY_IDENTITY)
def test_an_unhashable_value_is_part_of_the_key_by_identity(make: Callable[[Any], Any]) -> None:
    kind = Unhashable if make is BY_IDENTITY["a key"] else UnhashableCallable
    one, alike = kind("x"), kind("x")
    assert one == alike
    assert len({make(one), make(one), make(alike)}) == 2
    assert make(one) == make(one) != make(alike)


def test_credentials_are_equal_to_nothing_else() -> None:
    assert ClientCredentials("c") != "c"
    assert ClientCredentials("c") != ResourceOwnerCredentials("c")


def test_the_account_the_tokens_and_their_types_are_part_of_the_key() -> None:
    owner = ResourceOwnerCredentials("c")
    assert owner.with_username_password("u", "p") != owner.with_username_password("u", "q")
    assert owner.with_username_password("u", "p") != owner.with_username_password("v", "p")
    exchange = TokenExchange("c", subject_token="a")
    assert len({exchange, replace(exchange, subject_token="b"), replace(exchange, actor_token="b")}) == 3
    assert exchange != replace(exchange, requested_token_type="urn:x")
    assert RefreshToken("c", refresh_token="a") != RefreshToken("c", refresh_token="b")


def test_different_kinds_are_different_keys() -> None:
    assert len({ClientCredentials("c"), ResourceOwnerCredentials("c")}) == 2


@each
def test_no_secret_shows(make: Make) -> None:
    one = make()
    assert SECRET not in repr(one)
    assert SECRET not in str(one)
    assert SECRET not in f"{one}"
    assert SECRET not in "%s" % (one,)  # noqa: UP031  # another way to the same text


@each
def test_credentials_with_a_secret_are_not_pickled(make: Make) -> None:
    with pytest.raises(UsageError, match="not pickled"):
        pickle.dumps(make())


@each
def test_credentials_cannot_be_changed(make: Make) -> None:
    one = make()
    with pytest.raises(FrozenInstanceError):
        one.client_id = "other"
    assert copy.deepcopy(one) == one


def test_an_account_is_given_to_a_copy() -> None:
    owner = ResourceOwnerCredentials("c", scopes=("a",))
    account = owner.with_username_password("u", "p")
    assert (owner.username, account.username) == ("", "u")
    assert account.scopes == ("a",)


def test_scopes_are_given_as_text_or_as_tokens_and_kept_in_order() -> None:
    assert ClientCredentials("c", scopes="b a b").scopes == ("b", "a")
    assert ClientCredentials("c", None, ["b", "a"]).scopes == ("b", "a")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ClientCredentials(""), "client_id"),
        (lambda: ClientCredentials("c", scopes=('"',)), "scope"),
        (lambda: ResourceOwnerCredentials("c").grant(), "with_username_password"),
        (lambda: ResourceOwnerCredentials("c").with_username_password("u", "").grant(), "with_username_password"),
        (lambda: RefreshToken("c", refresh_token="").grant(), "refresh_token"),
        (lambda: JWTBearer("c", assertion="two words").grant(), "assertion"),
        (lambda: TokenExchange("c", subject_token="").grant(), "subject_token"),
    ],
)
def test_impossible_credentials_are_a_usage_error(make: Make, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make()


GRANTS: list[tuple[Any, Pairs]] = [
    (ClientCredentials("c", audience=("x", "y")), (("grant_type", "client_credentials"),)),
    (
        ResourceOwnerCredentials("c").with_username_password("u", "p"),
        (("grant_type", "password"), ("username", "u"), ("password", "p")),
    ),
    (RefreshToken("c", refresh_token="rt"), (("grant_type", "refresh_token"), ("refresh_token", "rt"))),
    (
        JWTBearer("c", assertion=lambda: "jwt"),
        (("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "jwt")),
    ),
    (
        TokenExchange("c", subject_token=lambda: "st", actor_token=Secret("at"), requested_token_type="urn:x"),
        (
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "st"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("actor_token", "at"),
            ("actor_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("requested_token_type", "urn:x"),
        ),
    ),
]


@pytest.mark.parametrize(("credentials", "pairs"), GRANTS, ids=[type(one).__name__ for one, _ in GRANTS])
def test_each_presents_its_grant(credentials: Any, pairs: Pairs) -> None:
    assert credentials.grant().parameters() == pairs


def test_scope_audience_and_resource_come_beside_the_grant_and_repeat() -> None:
    one = ClientCredentials("c", scopes=("a", "b"), audience=("x", "y"), resource=("https://r",))
    assert one.parameters() == (("scope", "a b"), ("audience", "x"), ("audience", "y"), ("resource", "https://r"))


@pytest.mark.parametrize(
    ("credentials", "repeatable"),
    [
        (ClientCredentials("c"), True),
        (ResourceOwnerCredentials("c"), True),
        (TokenExchange("c", subject_token="a"), True),
        (RefreshToken("c", refresh_token="a"), False),
        (JWTBearer("c", assertion="a"), False),
        (JWTBearer("c", assertion=lambda: "a"), True),
    ],
)
def test_what_burns_nothing_may_be_presented_again(credentials: Any, repeatable: bool) -> None:
    assert credentials.repeatable is repeatable


def fails() -> str:
    raise KeyError("no request here")


async def awaits() -> str:
    return "a"


def invalid() -> str:
    raise InvalidGrant("invalid_grant", "this one is ours")


TOKEN_SOURCES: dict[str, Callable[[Any], Any]] = {
    "assertion": lambda token: JWTBearer("c", assertion=token),
    "subject_token": lambda token: TokenExchange("c", subject_token=token),
    "actor_token": lambda token: TokenExchange("c", subject_token="a", actor_token=token),
}


@pytest.mark.parametrize("what", list(TOKEN_SOURCES))
@pytest.mark.parametrize("value", [None, "", "two words", "\u2014", 7, b"bytes", {"access_token": "a"}])
def test_a_callable_that_returns_no_token_is_a_usage_error(what: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"there is no {what}"):
        TOKEN_SOURCES[what](lambda: value).grant()


@pytest.mark.parametrize("what", list(TOKEN_SOURCES))
def test_a_callable_that_raises_is_a_usage_error_with_its_cause(what: str) -> None:
    with pytest.raises(UsageError, match=f"{what} failed with KeyError") as caught:
        TOKEN_SOURCES[what](fails).grant()
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("what", list(TOKEN_SOURCES))
def test_an_error_of_ours_that_a_callable_raises_stays_what_it_is(what: str) -> None:
    with pytest.raises(InvalidGrant, match="this one is ours"):
        TOKEN_SOURCES[what](invalid).grant()


@pytest.mark.parametrize("what", list(TOKEN_SOURCES))
def test_a_coroutine_function_is_a_usage_error_and_leaves_no_warning(what: str) -> None:
    with pytest.raises(UsageError, match=f"there is no {what}"):
        TOKEN_SOURCES[what](awaits).grant()


FUNCTION: Any = lambda: SECRET  # noqa: E731  # typed as a wrong argument
NUMBER: Any = 5
MAPPING: Any = {"a": 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClientCredentials("c", FUNCTION), "client_secret must be text or a private key, not function"),
        (lambda: ClientCredentials("c", 5), "client_secret must be text or a private key, not int"),
        (lambda: ResourceOwnerCredentials("c", username="u", password=FUNCTION), "password must be text, not function"),
        (lambda: ResourceOwnerCredentials("c", username="u", password=MAPPING), "password must be text, not dict"),
        (lambda: RefreshToken("c", refresh_token=FUNCTION), "refresh_token must be text, not function"),
        (lambda: JWTBearer("c", assertion=NUMBER), "assertion must be text or a function that returns it, not int"),
        (
            lambda: TokenExchange("c", subject_token=MAPPING),
            "subject_token must be text or a function that returns it, not dict",
        ),
    ],
)
def test_a_secret_of_a_wrong_type_is_refused_with_the_types_that_work(make: Make, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message
