"""`OAuth`: registering providers, and the client of each."""

from __future__ import annotations

import warnings
from enum import Enum
from typing import Any

import httpx2
import pytest
import requests

from doorkey.errors import OAuthError, UsageError
from doorkey.integrations.base_client import OAuthError as OAuthErrorOfClients
from tests.support import registries
from tests.support.openid_provider import CLIENT
from tests.support.registries import NAME, World
from tests.support.relying_party import parameters


class Providers(Enum):
    ACME = "acme"
    OTHER = 7


def test_a_registered_client_is_an_attribute_and_the_result_of_create_client(world: World) -> None:
    client = world.register()
    assert getattr(world.oauth, NAME) is world.oauth.create_client(NAME) is client
    assert isinstance(client, world.app_cls)
    assert client.name == NAME
    assert client.client_id == CLIENT


def test_an_unknown_name_has_no_client_and_is_no_attribute(world: World) -> None:
    oauth = world.registry()
    assert oauth.create_client("nobody") is None
    with pytest.raises(AttributeError, match=r"register it by oauth.register\('nobody'"):
        _ = oauth.nobody


def test_a_member_of_an_enum_is_a_name(world: World) -> None:
    client = world.register(Providers.ACME)
    assert world.oauth.acme is world.oauth.create_client("acme") is client
    assert Providers.ACME in world.oauth._clients
    assert "acme" in world.oauth._clients
    assert world.register(Providers.OTHER) is world.oauth.create_client("OTHER")


def test_a_second_registration_warns_and_keeps_the_first(world: World) -> None:
    first = world.register()
    with pytest.warns(UserWarning, match="use overwrite=True to replace it") as caught:
        second = world.register(client_id="another")
    assert caught[0].filename == registries.__file__, "the place that registers"
    assert second is first
    assert second.client_id == CLIENT


def test_overwrite_replaces_a_registration(world: World) -> None:
    first = world.register()
    second = world.register(client_id="another", overwrite=True)
    assert second is not first
    assert world.oauth.create_client(NAME).client_id == "another"


def test_a_client_that_was_removed_is_registered_again_without_a_warning(world: World) -> None:
    first = world.register()
    assert NAME in world.oauth._clients
    assert world.oauth._clients.pop(NAME) is first
    assert NAME not in world.oauth._clients
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = world.register(client_id="another")
    assert second.client_id == "another"
    assert getattr(world.oauth, NAME) is second


def test_a_client_that_was_removed_is_made_again_from_its_registration(world: World) -> None:
    first = world.register()
    del world.oauth._clients[NAME]
    second = world.oauth.create_client(NAME)
    assert second is not first
    assert second.client_id == CLIENT


def test_an_unknown_option_warns_where_it_belongs(world: World) -> None:
    with pytest.warns(UserWarning, match="registration 'op': 'redirect_uri' is neither.*authorize_redirect") as caught:
        world.register(redirect_uri="https://rp.example/callback")
    assert caught[0].filename == registries.__file__, "the place that registers"


def test_a_leftover_in_client_kwargs_warns_and_changes_nothing(world: World) -> None:
    with pytest.warns(UserWarning, match="no option 'redirect_url' in client_kwargs"):
        world.register(client_kwargs={"scope": "openid", "redirect_url": "https://rp.example/cb"})
    assert world.log_in()["userinfo"]["sub"]


def test_a_subclass_brings_options_and_methods(world: World) -> None:
    def place(self: Any) -> str:
        return str(self.name)

    kind: Any = type(
        "Acme",
        (world.app_cls,),
        {
            "OAUTH_APP_CONFIG": {"client_kwargs": {"scope": "openid email"}, "client_id": "replaced"},
            "place": place,
        },
    )
    client = world.register(client_cls=kind, client_kwargs=None)
    assert isinstance(client, kind)
    assert client.place() == NAME
    assert client.client_id == CLIENT
    assert parameters(world.begin(world.browser()))["scope"] == "openid email"
    assert kind.OAUTH_APP_CONFIG == {"client_kwargs": {"scope": "openid email"}, "client_id": "replaced"}


def test_a_subclass_may_have_its_own_constructor(world: World) -> None:
    def make(self: Any, framework: Any, name: Any = None, **options: Any) -> None:
        world.app_cls.__init__(self, framework, name, **options)
        self.more = sorted(options)

    kind: Any = type("Acme", (world.app_cls,), {"__init__": make})
    client = world.register(client_cls=kind)
    assert "client_id" in client.more
    assert client.framework.name == NAME


def test_metadata_sets_no_option_of_a_client(world: World) -> None:
    metadata = {**world.provider.metadata, "verify": False, "timeout": 1, "scope": "all", "client_id": "another"}
    from tests.support.hostile_server import reply

    world.provider.server.on("/.well-known/openid-configuration", reply(json=metadata))
    world.register()
    sent = parameters(world.begin(world.browser()))
    assert (sent["scope"], sent["client_id"]) == ("openid profile", CLIENT)
    assert world.client.client_kwargs == {"scope": "openid profile"}


def test_an_oauth_1_provider_is_registered_and_using_it_raises_a_clear_error(world: World) -> None:
    client = world.register(
        request_token_url="https://as.example/request", server_metadata_url=None, authorize_url="https://as.example/a"
    )
    assert world.oauth.create_client(NAME) is client
    assert client.name == NAME
    with pytest.raises(UsageError, match="OAuth 1, which is not supported yet"):
        client.get("https://api.example")


def test_the_class_for_oauth_1_can_be_replaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class OAuth1:
        def __init__(self, framework: Any, name: str, **options: Any) -> None:
            self.options = options

    oauth = world.registry()
    monkeypatch.setattr(world.module.OAuth, "oauth1_client_cls", OAuth1)
    client = oauth.register("old", client_id="c", request_token_url="https://as.example/request")
    assert isinstance(client, OAuth1)
    assert client.options["request_token_url"] == "https://as.example/request"


def test_a_registry_without_a_class_for_oauth_1_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    oauth = world.registry()
    monkeypatch.setattr(world.module.OAuth, "oauth1_client_cls", None)
    with pytest.raises(UsageError, match="OAuth 1"):
        oauth.register("old", client_id="c", request_token_url="https://as.example/request")


def test_a_client_can_be_put_in_the_place_of_another(world: World) -> None:
    first = world.register()
    world.oauth._clients[NAME] = "a stand-in of a test"
    assert world.oauth._clients[NAME] == world.oauth.create_client(NAME) == "a stand-in of a test"
    world.oauth._clients[NAME] = first


def test_a_wrong_option_is_a_usage_error_that_names_it(world: World) -> None:
    with pytest.raises(UsageError, match="client_kwargs"):
        world.register(client_kwargs="openid")


@pytest.mark.parametrize("kind", [requests.Session, httpx2.Client, httpx2.AsyncClient, dict, object])
def test_a_class_that_is_no_client_of_the_framework_is_a_usage_error(world: World, kind: type) -> None:
    with pytest.raises(
        UsageError, match=f"which {kind.__name__} does not accept: use a subclass of {world.app_cls.__name__}"
    ):
        world.register(client_cls=kind)


def test_a_login_without_a_client_id_says_where_to_give_one(world: World) -> None:
    world.register(client_id=None)
    with pytest.raises(UsageError) as caught:
        world.begin(world.browser())
    setting = "DOORKEY_OAUTH_CLIENTS['op']" if world.framework == "django" else "OP_CLIENT_ID"
    assert "register('op', client_id=…)" in str(caught.value)
    assert setting in str(caught.value)


def test_a_client_shows_no_secret_and_is_not_pickled(world: World) -> None:
    import pickle

    client = world.register(client_secret="a-secret-value")
    assert "a-secret-value" not in repr(client)
    with pytest.raises(UsageError, match="neither pickled nor copied"):
        pickle.dumps(client)


def test_the_error_of_every_place_is_one_class(world: World) -> None:
    from doorkey.integrations.base_client.errors import MismatchingStateError, TokenExpiredError
    from doorkey.oauth2 import OAuth2Error

    assert world.module.OAuthError is OAuthErrorOfClients is OAuthError is OAuth2Error
    assert issubclass(MismatchingStateError, OAuthError)
    assert issubclass(TokenExpiredError, OAuthError)
