"""The options of a registration: which value applies, and that metadata never becomes an option of a client."""

import traceback
from dataclasses import FrozenInstanceError, fields
from typing import Any, ClassVar

import pytest

from doorkey.errors import UsageError
from doorkey.login.registry.names import OPTIONS
from doorkey.login.registry.options import RegistryOptions, known_client_kwargs

SECRET = "s3cret-of-the-test"


def options(settings: Any = None, *, overwrite: bool = False, **given: Any) -> RegistryOptions:
    return RegistryOptions.of("google", given, settings, overwrite=overwrite)


def test_every_option_of_register_has_a_field() -> None:
    assert {one.name for one in fields(RegistryOptions)} == {*OPTIONS, "name", "metadata", "hints"}


def test_known_names_are_options_and_every_other_name_is_metadata() -> None:
    own = options(client_id="app", authorize_url="https://as.example/a", issuer="https://as.example", jwks={"keys": []})
    assert (own.name, own.client_id, own.authorize_url) == ("google", "app", "https://as.example/a")
    assert own.metadata == {"issuer": "https://as.example", "jwks": {"keys": []}}
    assert own.hints == ()


@pytest.mark.parametrize("name", ["verify", "proxies", "timeout", "scope", "redirect_uri"])
def test_a_client_option_among_the_metadata_sets_no_client_option_and_causes_a_warning(name: str) -> None:
    own = RegistryOptions.of("google", {name: "x"})
    assert own.client_kwargs == {}
    assert own.metadata == {name: "x"}
    assert [hint.split(" is ")[0] for hint in own.hints] == [repr(name)]


def test_unknown_names_in_client_kwargs_cause_a_warning_and_reach_no_client() -> None:
    own = options(client_kwargs={"scope": "openid", "redirect_url": "https://app.example/cb"})
    assert own.hints == ("there is no option 'redirect_url' in client_kwargs: did you mean 'redirect_uri'?",)
    assert own.client_kwargs == {"scope": "openid", "redirect_url": "https://app.example/cb"}
    assert known_client_kwargs(own.client_kwargs) == {"scope": "openid"}


def test_arguments_take_precedence_over_settings() -> None:
    settings = {"client_id": "of-settings", "client_secret": SECRET, "api_base_url": None}
    own = options(settings, client_id="of-register")
    assert (own.client_id, own.client_secret, own.api_base_url) == ("of-register", SECRET, None)


def test_none_is_no_argument() -> None:
    own = options({"client_id": "of-settings"}, client_id=None, client_kwargs=None, jwks=None)
    assert (own.client_id, own.client_kwargs, own.metadata) == ("of-settings", {}, {})


def test_with_overwrite_settings_take_precedence_and_mappings_are_joined() -> None:
    settings = {"client_id": "of-settings", "client_kwargs": {"scope": "openid"}, "api_base_url": ""}
    given = {"client_id": "a", "client_kwargs": {"scope": "x", "timeout": 3}, "api_base_url": "https://api.example"}
    own = options(settings, overwrite=True, **given)
    assert (own.client_id, own.api_base_url) == ("of-settings", "https://api.example")
    assert own.client_kwargs == {"scope": "openid", "timeout": 3}
    assert given["client_kwargs"] == {"scope": "x", "timeout": 3}


def test_the_class_of_the_client_has_defaults_which_stay_as_they_are() -> None:
    class Github:
        OAUTH_APP_CONFIG: ClassVar[Any] = {"api_base_url": "https://api.example/", "client_kwargs": {"scope": "user"}}

    own = options({"client_id": "of-settings"}, client_cls=Github, client_kwargs={"scope": "user:email"})
    assert (own.client_cls, own.api_base_url, own.client_id) == (Github, "https://api.example/", "of-settings")
    assert own.client_kwargs == {"scope": "user:email"}
    assert Github.OAUTH_APP_CONFIG == {"api_base_url": "https://api.example/", "client_kwargs": {"scope": "user"}}


def test_a_class_without_defaults_adds_none() -> None:
    class Plain:
        OAUTH_APP_CONFIG = None

    assert options(client_cls=Plain, client_id="a").client_id == "a"


def test_options_are_copies_of_what_the_program_passed() -> None:
    given: dict[str, Any] = {"scope": "openid"}
    own = options(client_kwargs=given, authorize_params=given)
    given["scope"] = "changed"
    assert own.client_kwargs == own.authorize_params == {"scope": "openid"}


def test_authorize_params_are_a_mapping_or_pairs() -> None:
    assert options(authorize_params=[("prompt", "login")]).authorize_params == {"prompt": "login"}


def test_a_pem_key_and_a_client_authentication_method_are_passed_on() -> None:
    method = object()
    own = options(client_secret=b"-----BEGIN", token_endpoint_auth_method=method, client_auth_methods=[method])
    assert (own.client_secret, own.token_endpoint_auth_method) == (b"-----BEGIN", method)
    assert own.client_auth_methods == (method,)


def test_a_request_token_url_registers_oauth_1() -> None:
    assert options(request_token_url="https://as.example/request").is_oauth1
    assert not options(authorize_url="https://as.example/authorize").is_oauth1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"client_id": 7}, "client_id must be text, not int"),
        ({"access_token_url": b"https://as.example"}, "access_token_url must be text, not bytes"),
        ({"client_kwargs": "scope=openid"}, "client_kwargs must be a mapping, not str"),
        ({"access_token_params": 7}, "access_token_params must be a mapping, not int"),
        ({"authorize_params": "prompt=login"}, "authorize_params must be a mapping, or pairs, not str"),
        ({"authorize_params": [1]}, "authorize_params must be a mapping, or pairs of a name and a value"),
        ({"update_token": 7}, "update_token must be a callable, not int"),
        ({"compliance_fix": "fix"}, "compliance_fix must be a callable, not str"),
        ({"client_cls": 7}, "client_cls must be a client class"),
        ({"client_auth_methods": 7}, "client_auth_methods are client authentication methods, in a list, not int"),
    ],
)
def test_a_value_of_another_type_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        options(**given)
    assert str(caught.value).startswith(message)


def test_settings_are_a_mapping() -> None:
    with pytest.raises(UsageError, match="the settings of a registration must be a mapping, not int"):
        options(7)


def test_nothing_secret_is_in_the_text_of_the_options_or_in_the_frames_of_an_error() -> None:
    assert SECRET not in repr(options(client_secret=SECRET, client_kwargs={"headers": {"X-Key": SECRET}}))
    with pytest.raises(UsageError) as caught:
        options(client_secret=SECRET, client_id=7)
    frames = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert [name for name in frames if name.endswith("login/registry/options.py")] == []


def test_options_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        options().client_id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
