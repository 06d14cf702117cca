"""Runs Canaille, an OpenID provider that we did not write, in memory on loopback, with a client and a person.

Arguments: the port, the client's redirect URI, the person's address. Says "ready" once it listens, and serves until
it is ended.
"""
import logging
import sys

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from werkzeug.serving import make_server

port, redirect_uri, email = int(sys.argv[1]), sys.argv[2], sys.argv[3]
logging.disable(logging.CRITICAL)
app = create_app(
    {
        "SECRET_KEY": "x" * 40,
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "memory", "HTMX": False, "JAVASCRIPT": False},
        "CANAILLE_OIDC": {},
    }
)
with app.app_context():
    backend = Backend.instance
    backend.save(
        models.User(
            formatted_name="Ada Lovelace", family_name="Lovelace", user_name="ada", emails=[email],
            password="correct horse battery",
        )
    )
    client = models.Client(
        client_id="gatepost", client_secret="canaille-secret-of-gatepost", client_name="Gatepost",
        client_uri="https://auth.example", redirect_uris=[redirect_uri], grant_types=["authorization_code"],
        response_types=["code"], scope=["openid", "email"], token_endpoint_auth_method="client_secret_basic",
        id_token_signed_response_alg="RS256",
    )
    backend.save(client)
    client.audience = [client]
    backend.save(client)
server = make_server("127.0.0.1", port, app, threaded=True)
print("ready", flush=True)
server.serve_forever()
