"""A FastAPI application with a login, an endpoint for users, and one for everyone."""

from fastapi import FastAPI

from doorkey.login import Login

app, login = FastAPI(), Login.dev()
login.mount(app)


@app.get("/")
def home(user: login.User) -> dict[str, str | None]:
    """Return the user; a browser without one is sent to the login."""
    return {"name": user.name, "email": user.email}


@app.get("/public")
def public(user: login.OptionalUser) -> str:
    """Greet everyone."""
    return f"Hello {user.name if user else 'guest'}"
