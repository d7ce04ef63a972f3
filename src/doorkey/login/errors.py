"""The errors of a login: one class for each cause, with the words that a page shows to the user and to the developer.

    LoginError                 a login failed; also a VerificationError. .title .problem .fix .for_developers
    ├─ NoPendingLogin          this browser has not begun the login; also a MismatchingStateError
    ├─ WrongState              the callback belongs to another login; also a MismatchingStateError
    ├─ OtherHost               the login was begun at another host (localhost, 127.0.0.1); also a MismatchingStateError
    ├─ OtherProvider           the login was begun at another provider
    ├─ LoginExpired            the user came back too late; also a MismatchingStateError
    ├─ LoginReplayed           the login was finished before; also a MismatchingStateError
    ├─ LoginSecretChanged      the application's secret was changed while the user was at the provider
    └─ LoginRefused            the provider did not log the user in; .error and .description are from its response

The message of an error consists of its problem and its fix.
"""

from __future__ import annotations

from typing import ClassVar

from doorkey.errors import MismatchingStateError, OAuthError, ServerError, VerificationError, printable

__all__ = ["LoginError", "LoginExpired", "LoginRefused", "LoginReplayed", "LoginSecretChanged", "NoPendingLogin"]
__all__ += ["OtherHost", "OtherProvider", "WrongState"]

_AGAIN = "Start the login again."


class LoginError(VerificationError):
    """A login failed. `problem` and `fix` are sentences for the user, `for_developers` is one for the developer.

    problem, fix, for_developers: replace the sentences of the class.
    """

    code = "login_failed"
    title: ClassVar[str] = "The login failed"
    problem: str = "The login could not be completed."
    fix: str = _AGAIN
    for_developers: str = ""

    def __init__(self, problem: str | None = None, fix: str | None = None, for_developers: str | None = None) -> None:
        kind = type(self)
        self.problem, self.fix = printable(problem or kind.problem), printable(fix or kind.fix)
        self.for_developers = printable(for_developers or kind.for_developers)
        OAuthError.__init__(self, None, f"{self.problem} {self.fix}")
        self.claim, self.reason, self.expected = "login", self.problem, None
        self.args = (self.problem, self.fix, self.for_developers)
        if self.for_developers:
            self.__notes__ = [self.for_developers]  # a traceback shows it below the message


class NoPendingLogin(LoginError, MismatchingStateError):
    """This browser has not begun the login that the callback ends (RFC 9700 §4.7)."""

    code = "no_pending_login"
    title = "This login was not started in this browser"
    problem = "Your browser did not send the cookie that was set when the login started."
    fix = "Start the login again in this browser, at the same host, and allow cookies for this site."
    for_developers = (
        "The cookie is set by the response that redirects to the provider. It is missing if the login was begun in "
        "another browser or at another host, if the cookie is not sent with a cross-site POST (form_post needs "
        "SameSite=None; Secure), or if this callback was opened before."
    )


class WrongState(LoginError, MismatchingStateError):
    """The `state` of the callback differs from the `state` of the pending login (RFC 6749 §10.12)."""

    code = "wrong_state"
    title = "This page belongs to another login"
    problem = "The provider's response belongs to another login than the one that was started here."
    for_developers = (
        "The parameter `state` of the callback is missing or differs from the `state` that was sent. Look up the "
        "pending login by the state of the callback, so that several tabs work."
    )


class OtherHost(LoginError, MismatchingStateError):
    """The login was begun at one host, and the browser came back to another host.

    began_at: the host of the first request.
    came_to: the host of the callback.
    """

    code = "other_host"
    title = "The address of this site has changed during the login"
    fix = "Use one address for this site, and start the login again."
    for_developers = (
        "Browsers send a cookie only to the host that set it: localhost and 127.0.0.1 are two hosts. Open the "
        "application at the host of its redirect URI, or register a redirect URI for the other host."
    )

    def __init__(self, began_at: str = "another host", came_to: str = "this one") -> None:
        super().__init__(f"The login was started at {began_at}, and ended at {came_to}.")
        self.began_at, self.came_to = began_at, came_to
        self.args = (began_at, came_to)


class OtherProvider(LoginError):
    """The callback is for one provider, but the pending login was begun at another provider (RFC 9700 §4.4)."""

    code = "other_provider"
    title = "This page belongs to the login of another provider"
    problem = "The login was started with another provider."
    for_developers = "Finish a login with the client that began it: each provider has its own callback URL."


class LoginExpired(LoginError, MismatchingStateError):
    """The user came back after the pending login had expired."""

    code = "login_expired"
    title = "The login took too long"
    problem = "The login has expired, because it was started too long ago."
    for_developers = "A login has ten minutes. Check the clock of this machine if a user came back sooner."


class LoginReplayed(LoginError, MismatchingStateError):
    """The callback was used before, for instance by a second click or the back button."""

    code = "login_replayed"
    title = "This login has already been completed"
    problem = "This page has been used before, and each login can be completed once."
    fix = "Go back to the site. If you are not logged in there, start the login again."
    for_developers = "A pending login is used up by its first callback. Reloading the callback does not repeat it."


class LoginSecretChanged(LoginError):
    """The secret that protects pending logins has changed since this login was begun."""

    code = "login_secret_changed"
    title = "The site was updated during the login"
    problem = "The site cannot read the cookie of this login, because its secret has changed since."
    for_developers = (
        "All workers need the same secret, and it must survive a restart. To replace it, keep the old secret as a "
        "further secret for ten minutes."
    )


class LoginRefused(LoginError):
    """The provider responded to the login with an error (RFC 6749 §4.1.2.1).

    error: the error code of the response.
    description: the `error_description` of the response; "" if it is missing.
    uri: the `error_uri` of the response, or None.
    """

    code = "login_refused"
    title = "The provider did not log you in"
    fix = "Start the login again, or choose another account."
    for_developers = (
        "The error is the provider's. Compare the client, its redirect URI and its scopes with the registration there."
    )

    def __init__(self, error: str = "access_denied", description: str = "", uri: str | None = None) -> None:
        detail = f" ({description})" if description else ""
        super().__init__(f"The provider answered with the error {error}{detail}.")
        OAuthError.__init__(self, error, description, uri)
        self.args = (self.error, self.description, self.uri)

    @classmethod
    def by(cls, answer: ServerError) -> LoginRefused:
        """Return the error for an error response of the authorization endpoint.

        answer: the error that the response contains.
        """
        return cls(answer.error, answer.description, answer.uri)
