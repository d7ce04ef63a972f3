"""Arguments of every kind for the embedded provider: an `OAuthError` at once, not a response with status 500 later."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What is given here is of any kind by design.

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from doorkey.dev import Client, Control, Faults, Provider, RequestLog, Settings, User, client, read_config, user
from doorkey.errors import UsageError
from doorkey.server.registrations import TrustedIssuer
from doorkey.testing import RemoteProvider
from tests.support.wrong_values import failures, parameters_of, refused

ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
CLIENT = {"grant_type": "client_credentials", "client_id": "client-1", "client_secret": "my-secret"}
BINDS = ("host", "port", "allow_remote", "store", "https", "host_names")
MORE = ("email", "family_name", "links", "sub", "no_such")


def served(**given: Any) -> None:
    """Start a provider, and use what it was given: an answer from 500 on says that it should have been refused."""
    with Provider(**given) as provider, requests.Session() as http:
        http.trust_env = False

        def ask(realm: str, form: dict[str, Any]) -> dict[str, Any]:
            answer = http.post(f"{provider.issuer_of(realm)}/protocol/openid-connect/token", form)
            assert answer.status_code < 500, f"{form} in {provider.realms[realm]}"
            return dict(answer.json())

        for realm in provider.realms:
            ask(realm, CLIENT)
            ask(realm, ADMIN)
        for one in provider.clients.values():
            secret = one.secret.reveal() if one.secret else None
            ask("master", {**CLIENT, "client_id": one.client_id, "client_secret": secret})
            ask("master", {**ADMIN, "client_id": one.client_id, "client_secret": secret, "scope": "openid scope-1"})
        for person in provider.users.values():
            password = person.password.reveal() if person.password else "none"
            form = {**ADMIN, **CLIENT, "grant_type": "password", "scope": "openid"}
            told = ask("master", {**form, "username": person.username, "password": password})
            bearer = {"Authorization": f"Bearer {told.get('access_token')}"}
            for url in (provider.echo, provider.userinfo_endpoint):
                assert http.get(url, headers=bearer).status_code < 500, f"{url} for {person}"


def test_a_provider() -> None:
    refused(
        failures(served, {}, [name for name in parameters_of(Provider) if name not in BINDS]),
        failures(lambda one: served(clients=[one]), {}, ["one"]),
        failures(lambda one: served(users=[one]), {}, ["one"]),
        failures(lambda keys: served(client_jwks={"c": keys}), {}, ["keys"]),
        failures(lambda keys: served(trusted_issuers={"https://robots.example": keys}), {}, ["keys"]),
        failures(lambda returned: served(clock=lambda: returned), {}, ["returned"]),
    )


def test_realms() -> None:
    realms: dict[str, Settings] = {}

    def known(**settings: Any) -> None:
        realms[f"realm-{len(realms)}"] = Settings(**settings)

    def called(realm: Any) -> None:
        Provider(realms={realm: Settings()})

    refused(
        failures(known, {}, parameters_of(Settings)),
        failures(called, {}, also=(TypeError,)),  # what has no hash is no key
    )
    assert realms
    served(realms=realms)


def test_where_a_provider_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a text may be the path of a store

    def listening(**given: Any) -> None:
        with Provider(**given):
            pass

    refused(
        failures(listening, {}, [name for name in BINDS if name != "allow_remote"]),
        failures(listening, {"allow_remote": True, "host": "127.0.0.1"}, BINDS),
        failures(listening, {"https": True}, ["host_names"]),
        failures(lambda value: Provider(allow_remote=value), {}, ["value"]),
    )


def test_clients_and_users() -> None:
    made: list[Client] = []
    people: list[User] = []

    def registered(**given: Any) -> None:
        options: dict[str, Any] = {"client_id": f"client-{len(made)}", **given}
        made.append(client(**options))

    def known(**given: Any) -> None:
        people.append(user(**{"username": f"user-{len(people)}", **given}))

    refused(
        failures(registered, {"secret": "my-secret"}, [*parameters_of(Client), "no_such"]),
        failures(known, {"password": "pwd"}, [*parameters_of(user), *MORE]),
        failures(Client, {"client_id": "c"}),
        failures(User, {"sub": "s", "username": "u"}),
        failures(TrustedIssuer, {"issuer": "i", "jwks": {}}),
    )
    assert made
    assert people
    served(clients=made, users=people)


def test_the_tokens_and_logins_that_a_test_orders(provider: Provider) -> None:
    refused(
        failures(provider.token, {"username": "alice"}),
        failures(provider.id_token, {"username": "alice"}),
        failures(provider.logout_token, {"username": "alice"}),
        failures(provider.send_logout_token, {"client_id": "client-1"}),
        failures(provider.browser().log_out, {}),
        failures(provider.end_session, {"session_id": "s"}),
        failures(provider.rotate_keys, {}, ["realm"]),
        failures(provider.log_in, {"url": f"{provider.authorization_endpoint}?client_id=x", "username": "alice"}),
        failures(provider.browser().open, {"url": provider.issuer}),
        failures(lambda name: provider.token("alice", claims={name: 1}), {}, ["name"], also=(TypeError,)),
    )


def test_arguments_of_any_kind_for_the_control_of_a_provider(provider: Provider) -> None:
    def controlled(**given: Any) -> None:
        with Control(provider, **given):
            pass

    with Control(provider) as control:
        refused(
            failures(controlled, {}, ["token"]),
            failures(lambda port: controlled(port=port), {}, ["port"]),
            failures(
                lambda **given: RemoteProvider(**{"url": control.url, "token": control.token, **given}),
                {},
                ["url", "token"],
            ),
            failures(RemoteProvider(control.url, control.token).token, {"username": "alice"}),
            failures(RemoteProvider(control.url, control.token).faults.add, {"path_end": "/nowhere"}),
        )


def test_arguments_of_any_kind_for_a_provider(provider: Provider) -> None:
    refused(
        failures(provider.advance, {}),
        failures(provider.issuer_of, {}),
        failures(provider.requests.to, {}),
        failures(RequestLog().to, {}),
        failures(read_config, {}),
    )


def test_faults(http: requests.Session, provider: Provider) -> None:
    def added(**given: Any) -> None:
        try:
            faults.add(**given)
            if given.get("hold") is None and given["path_end"] == "/token":
                http.post(provider.token_endpoint, CLIENT, timeout=10)
        finally:
            faults.clear()

    faults = provider.faults
    good: dict[str, Any] = {"path_end": "/token", "status": 418}
    names = [name for name in parameters_of(faults.add) if name != "drip"]
    refused(
        failures(added, good, names, also=(requests.RequestException,)),
        failures(lambda **given: faults.add("/nowhere", **given), {}, ["drip"]),
        failures(lambda value: added(**good, headers={"X-A": value}), {}, ["value"]),
        failures(lambda name: added(**good, headers={name: "b"}), {}, ["name"], also=(TypeError,)),
        failures(faults.take, {"path": "/token"}),
    )


@pytest.mark.parametrize(
    ("call", "given", "expected"),
    [
        (Provider, {"port": "x"}, "port must be a whole number, 0 or more and at most 65535"),
        (Provider, {"port": 99999}, "port must be a whole number, 0 or more and at most 65535"),
        (Provider, {"clients": ["a"]}, r"clients are values of doorkey.dev.client\(\), not str"),
        (Provider, {"access_token_lifetime": "5"}, "access_token_lifetime in seconds must be a whole number"),
        (Provider, {"realms": {"a": 1}}, "the settings of realm a are doorkey.dev.Settings, not int"),
        (Provider, {"realms": {"a/b": Settings()}}, "a realm's name must consist of letters"),
        (client, {"client_id": "a", "foo": 1}, "a client has no 'foo'$"),
        (client, {"client_id": "a", "audience": {}}, "a client has no 'audience': did you mean 'audiences'"),
        (client, {"client_id": "a", "auth_methods": "client_secret_pots"}, "did you mean 'client_secret_post'"),
        (user, {"username": "a", "mail": "a@example"}, "a user has no 'mail': did you mean 'email'"),
        (Client, {"client_id": "a", "secret": "s"}, "the secret of a client must be a doorkey.values.Secret"),
        (
            Faults().add,
            {"path_end": "/token", "status": "x"},
            "status must be a whole number, 200 or more and at most 599",
        ),
        (
            Faults().add,
            {"path_end": "/token", "body": "x"},
            "body and headers replace the real response, and need status=",
        ),
        (Faults().add, {"path_end": "/token", "reset": "never"}, "reset must be 'before' or 'after'"),
    ],
)
def test_an_error_says_what_is_expected(call: Callable[..., Any], given: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        call(**given)


def test_a_provider_has_no_address_before_there_is_one() -> None:
    provider = Provider()
    assert provider.port == 0
    for name in ("origin", "issuer", "token_endpoint", "authorization_endpoint", "jwks_uri", "echo"):
        with pytest.raises(UsageError, match="no address yet: start it"):
            getattr(provider, name)
    assert Provider(port=8080).token_endpoint == "http://127.0.0.1:8080/realms/master/protocol/openid-connect/token"


def test_a_realm_that_is_not_there_has_no_issuer(provider: Provider) -> None:
    with pytest.raises(UsageError, match="no realm 'nope'; there are master, rotating"):
        provider.issuer_of("nope")
    with pytest.raises(UsageError, match="did you mean 'master'"):
        provider.issuer_of("mastr")


def test_one_text_is_one_name() -> None:
    made = client("a", "s", auth_methods="client_secret_post", redirect_uris="http://127.0.0.1/cb", grants="password")
    assert made.auth_methods == ("client_secret_post",)
    assert made.redirect_uris == ("http://127.0.0.1/cb",)
    assert made.grants == {"password"}
