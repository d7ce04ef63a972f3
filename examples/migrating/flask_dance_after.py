"""A Flask application whose users log in: doorkey."""

import os

from flask import Flask

from doorkey.login import Login

app = Flask(__name__)
login = Login(issuer=os.environ["ISSUER"], client_id="web-app", client_secret="its-secret")
login.init_app(app)


@app.get("/")
@login.required
def home():
    """Greet the user."""
    return f"Hello {login.user.name}"
