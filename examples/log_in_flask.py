"""A Flask application with a login, a page for users, and a logout."""

from flask import Flask, render_template_string

from doorkey.login import Login

PAGE = """
<p>Hello {{ user.name }}, your address is {{ user.email }}.</p>
<form method="post" action="/auth/logout">
  <input type="hidden" name="csrf_token" value="{{ user.csrf_token }}"><button>Log out</button>
</form>
"""

app, login = Flask(__name__), Login.dev()
login.init_app(app)


@app.get("/")
@login.required
def home() -> str:
    """Show the user."""
    return render_template_string(PAGE, user=login.user)


@app.get("/public")
def public() -> str:
    """Show a page for everyone."""
    return f"Hello {login.user.name if login.user else 'guest'}"
