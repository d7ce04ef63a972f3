"""The errors of a native login, in addition to those of `doorkey.login.errors`.

LoginError
├─ CallbackTimeout         no response came from the browser in time
├─ NoFreePort              the program cannot listen at any of its ports
├─ NoLoginMethod           no login method is possible with this machine and this provider
└─ WrongPaste              the pasted text is not the URL of the response
"""

from __future__ import annotations

from doorkey.login.errors import LoginError

__all__ = ["CallbackTimeout", "NoFreePort", "NoLoginMethod", "WrongPaste"]


class CallbackTimeout(LoginError):
    """No valid authorization response came from the browser in time.

    waited: the time limit in seconds.
    rejected: why the last request to the callback was rejected; "" if no request was rejected.
    """

    code = "callback_timeout"
    title = "The login took too long"
    fix = "Start the login again, and finish it in the browser of this machine."
    for_developers = (
        "The browser must reach the redirect URI: use login_by_device or login_by_pasting on a machine without a "
        "browser. timeout= allows more time."
    )

    def __init__(self, waited: float = 300.0, rejected: str = "") -> None:
        last = f" The last request was rejected: {rejected}" if rejected else ""
        given: object = waited  # a value of a wrong type must not raise another error here
        limit = f"{given:g} s" if isinstance(given, int | float) else "its time"
        super().__init__(f"No response came from the browser within {limit}.{last}")
        self.waited, self.rejected = waited, rejected
        self.args = (waited, rejected)


class NoFreePort(LoginError):
    """The program cannot listen at any of the ports to which the provider may redirect the browser (RFC 8252 §7.3)."""

    code = "no_free_port"
    title = "The login cannot listen for the browser"
    problem = "No port of this machine is free for the response of the browser."
    fix = "End the other program, or log in by device code or by pasting."
    for_developers = "ports= lists the ports of the registered redirect URIs; (0,) means any free port."


class NoLoginMethod(LoginError):
    """No login method is possible with this machine and this provider. `problem` states why."""

    code = "no_login_method"
    title = "No login is possible here"
    problem = "No user can log in from this machine."
    fix = "Log in on a machine with a browser, or use a service account."
    for_developers = "method= selects a login method that cannot be detected from the environment."


class WrongPaste(LoginError):
    """The pasted text is not the URL to which the browser returned. `problem` describes the text."""

    code = "wrong_paste"
    title = "This is not the URL of the login"
    problem = "The text is not the URL of the page that opened after the login."
    fix = "Start the login again, and paste the whole URL from the address bar of the browser."
