"""`doorkey inspect` at the command line: what it contacts, what it prints, and its exit status."""

import json
import time
from pathlib import Path

import pytest

from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from tests.cli.inspect.tokens import own_key, signed
from tests.support.cli_runner import Run, on_terminal
from tests.support.fake_clock import Clock, real_time
from tests.support.hostile_server import Hostile, reply, reset
from tests.support.openid_provider import CLIENT, OpenIDProvider, Signer


@pytest.fixture
def clock() -> Clock:
    return real_time()


@pytest.fixture
def provider(hostile: Hostile, clock: Clock) -> OpenIDProvider:
    return OpenIDProvider(hostile, clock)


def current(**changed: object) -> str:
    """Return a token that is valid now, signed by the key of the user."""
    now = int(time.time())
    return signed(exp=now + 300, iat=now, **changed)


def test_a_good_id_token_is_verified_with_the_keys_of_its_issuer(run: Run, provider: OpenIDProvider) -> None:
    token = provider.id_token({"nonce": "n-1"})
    result = run("inspect", "--issuer", provider.issuer, "--audience", CLIENT, input=token)
    assert result.exit_code == 0, result.output
    assert "an ID token: no problem found\n" in result.stdout
    assert "names its issuer" not in result.stdout
    assert "verified with the keys of 127.0.0.1" in result.stdout
    assert "in 4 minutes" in result.stdout
    assert f"from 127.0.0.1:{provider.server.port} on this machine" in result.stderr


def test_a_token_whose_issuer_only_the_token_names_is_reported_as_such(run: Run, provider: OpenIDProvider) -> None:
    result = run("inspect", "--audience", CLIENT, input=provider.id_token({"nonce": "n-1"}))
    host = f"127.0.0.1:{provider.server.port}"
    assert result.exit_code == 0, result.output
    assert "an ID token: no problem found, but only the token itself names its issuer" in result.stdout
    assert f"verified with the keys of {host}, which the token itself names as its issuer (" in result.stdout
    assert "the issuer: it is the token's own claim; --issuer URL names the one that you trust" in result.stdout


def test_a_token_of_another_issuer_than_the_named_one_is_refused(run: Run, provider: OpenIDProvider) -> None:
    provider.changed = {"iss": "https://another.example"}
    result = run("inspect", "--issuer", provider.issuer, "--audience", CLIENT, input=provider.id_token({"nonce": "n"}))
    assert result.exit_code == 1
    assert "names its issuer" not in result.stdout
    assert "got: https://another.example" in result.stdout


def test_the_token_is_sent_nowhere(run: Run, provider: OpenIDProvider) -> None:
    token = provider.id_token({})
    run("inspect", token)
    received = provider.server.received
    assert {request.path for request in received} == {"/.well-known/openid-configuration", "/jwks"}
    assert not any(token.rpartition(".")[2] in repr(request) for request in received)


def test_a_forged_token_is_refused(run: Run, provider: OpenIDProvider) -> None:
    provider.forges = True
    result = run("inspect", "--json", provider.id_token({}))
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    message = "invalid: signature cannot be verified with these keys"
    assert report["signature"] == {"verified": False, "message": message}


def test_an_unknown_key_is_refused_and_the_known_ones_are_named(run: Run, provider: OpenIDProvider) -> None:
    provider.published = [{**provider.signer.jwk, "kid": "another"}]
    report = json.loads(run("inspect", "--json", provider.id_token({})).stdout)
    (problem,) = report["problems"]
    assert (problem["claim"], problem["expected"], problem["got"]) == ("kid", "'another'", "k0")


def test_a_wrong_typ_in_the_header_of_a_keycloak_token_is_shown(run: Run) -> None:
    now = int(time.time())
    token = signed({"typ": "other+jwt"}, typ="Bearer", azp="app", jti="j", iat=now, exp=now + 300)
    result = run("inspect", "--json", "--offline", "--type", "access", "--profile", "keycloak", token)
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["claim"], problem["got"]) == ("typ", "other+jwt")


def test_all_that_is_wrong_is_printed_with_claim_expected_got_and_by_how_much(
    run: Run, provider: OpenIDProvider, clock: Clock
) -> None:
    provider.changed = {"exp": int(clock()) - 200, "aud": "another-app"}
    result = run("inspect", "--audience", "app", input=provider.id_token({"nonce": "n"}))
    assert result.exit_code == 1
    assert "an ID token: 2 problems" in result.stdout
    assert "expired 3 minutes ago" in result.stdout
    assert "expected: app" in result.stdout
    assert "got: another-app" in result.stdout


@pytest.mark.parametrize("issuer", ["http://as.example", "file:///etc/passwd", "nonsense", None, 7])
def test_nothing_is_fetched_for_an_issuer_that_is_neither_https_nor_loopback(run: Run, issuer: object) -> None:
    result = run("inspect", "--json", input=current(iss=issuer))
    report = json.loads(result.stdout)
    assert report["signature"]["verified"] is None
    assert report["signature"]["message"].startswith("not checked")
    assert "fetching" not in result.stderr


def test_the_keys_of_a_file_verify_without_a_server(run: Run, tmp_path: Path) -> None:
    for number, content in enumerate((own_key().as_json(), own_key().as_pem().decode(), _key_set())):
        file = tmp_path / f"{number}"
        file.write_text(content)
        result = run("inspect", "--key", str(file), input=current())
        assert "verified with the given key" in result.stdout, result.output
        assert result.exit_code == 0


def test_a_shared_secret_of_a_file_verifies(run: Run, tmp_path: Path) -> None:
    secret = generate_key("HS256")
    file = tmp_path / "secret"
    file.write_text("a-secret-of-at-least-thirty-two-bytes\n")
    now = int(time.time())
    good = sign({"exp": now + 60}, b"a-secret-of-at-least-thirty-two-bytes", alg="HS256", header={})
    assert run("inspect", "--key", str(file), input=good).exit_code == 0
    other = sign({"exp": now + 60}, secret, alg="HS256", header={})
    assert run("inspect", "--key", str(file), input=other).exit_code == 1


def _key_set() -> str:
    return json.dumps({"keys": [own_key().as_dict()]})


def test_offline_contacts_no_server_and_says_that_the_signature_was_not_checked(
    run: Run, provider: OpenIDProvider
) -> None:
    result = run("inspect", "--offline", input=provider.id_token({}))
    assert "its signature was not checked" in result.stdout
    assert provider.server.received == []
    assert result.exit_code == 0


def test_an_issuer_that_cannot_be_reached_is_status_4(run: Run, provider: OpenIDProvider) -> None:
    token = provider.id_token({})
    provider.server.on("/.well-known/openid-configuration", reset)
    result = run("inspect", "--json", input=token)
    assert result.exit_code == 4
    assert "could not be fetched" in json.loads(result.stdout)["signature"]["message"]


@pytest.mark.parametrize(
    "given", ["what is this?", "x" * 10_000_000, "a.b.c", "an-opaque-token", "eyJhbGciOiJub25lIn0.e30."]
)
def test_bad_input_is_one_sentence_and_status_1(run: Run, given: str) -> None:
    result = run("inspect", input=given)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("doorkey: ")
    assert result.stderr.count("\n") == 1


def test_only_the_header_of_a_jwe_is_shown(run: Run, provider: OpenIDProvider) -> None:
    jwk = generate_key("ES256").public_jwk()
    provider.encrypts_to = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    result = run("inspect", input=provider.id_token({}))
    assert result.exit_code == 1
    assert "the token is encrypted (JWE, ECDH-ES+A128KW)" in result.stdout
    assert "A128GCM" in result.stdout
    assert provider.server.received == []


def test_introspection_asks_the_named_issuer_as_the_named_client(
    run: Run, provider: OpenIDProvider, hostile: Hostile
) -> None:
    metadata = {**provider.metadata, "introspection_endpoint": hostile.url("/introspect")}
    hostile.on("/.well-known/openid-configuration", reply(json=metadata))
    hostile.on("/introspect", reply(json={"active": True, "scope": "read", "exp": int(time.time()) + 119}))
    arguments = ("inspect", "--introspect", "--issuer", provider.issuer, "--client-id", "api")
    result = run(*arguments, input="opaque-token-1", DOORKEY_CLIENT_SECRET="a-client-secret")
    assert result.exit_code == 0, result.output
    assert "in 1 minute" in result.stdout
    (asked,) = hostile.to("/introspect")
    assert asked.form["token"] == "opaque-token-1"
    assert "opaque-token-1" not in result.output
    assert "a-client-secret" not in result.output
    hostile.on("/introspect", reply(json={"active": False}))
    assert run(*arguments, input="opaque-token-2").exit_code == 1


@pytest.mark.parametrize("arguments", [(), ("--issuer", "http://127.0.0.1:1"), ("--client-id", "api")])
def test_introspection_needs_a_named_issuer_and_client(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("inspect", "--introspect", *arguments, input=current(iss="https://as.example")).exit_code == 2


def test_text_of_a_token_cannot_control_the_terminal(run: Run) -> None:
    result = run("inspect", "--offline", input=current(name="\x1b[31mred\u202e"))
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_a_signer_without_kid_is_verified_too(run: Run, hostile: Hostile, clock: Clock) -> None:
    provider = OpenIDProvider(hostile, clock, Signer(kid=None))
    assert run("inspect", input=provider.id_token({})).exit_code == 0


def test_a_token_is_pasted_on_a_terminal_and_ctrl_c_ends_the_command(home: Path) -> None:
    with on_terminal("inspect", env={"DOORKEY_HOME": str(home)}) as terminal:
        terminal.until("Ctrl-D")
        while terminal.process.poll() is None:  # a signal just before a read does not end it, and a user repeats it
            terminal.interrupt()
            terminal.rest(2)
        assert terminal.status() == 130
