"""An OpenID provider on another site than Gatepost's, with a page on which one button says yes.

It redeems each code once, for the redirect URI, the secret and the PKCE verifier of the request, and signs with ES256.
Its answer comes by a redirect, or by a form that the page sends by itself, as Apple's does (`form_post`).
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT_ID, SECRET = "gatepost", "the-provider-knows-it-too"

PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Lakeside</title>
<main><h1>Lakeside</h1>{body}</main></html>"""


class Provider:
    """The provider, and who is signed in there."""

    def __init__(self):
        self.key, self.grants = ec.generate_private_key(ec.SECP256R1()), {}
        self.person = {"sub": "nobody"}
        self.declines = self.posts = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                provider.get(self, url.path, dict(urllib.parse.parse_qsl(url.query)))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.token(self, dict(urllib.parse.parse_qsl(body)))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()

    def becomes(self, address, is_verified=True, declines=False, posts=False):
        """Says who is signed in from now on, and how the provider answers."""
        self.person = {"sub": secrets.token_hex(8), "email": address, "email_verified": is_verified}
        self.declines, self.posts = declines, posts

    def get(self, handler, path, query):
        if path == "/.well-known/openid-configuration":
            return self.json(handler, {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            })
        if path == "/keys":
            key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
            return self.json(handler, {"keys": [{**key, "kid": "1", "alg": "ES256", "use": "sig"}]})
        if path == "/authorize":
            again = html.escape(f"/answer?{urllib.parse.urlencode(query)}", quote=True)
            return self.html(handler, f'<p>Sign in to Lakeside?</p><p><a id="yes" href="{again}">Yes</a></p>')
        if path == "/foreign-form":
            action = html.escape(query["to"], quote=True)
            return self.html(handler, f'<form method="post" action="{action}"><button>Send</button></form>')
        if path == "/answer":
            return self.answer(handler, query)
        # What a browser asks for by itself, such as an icon.
        return handler.send_error(404)

    def answer(self, handler, query):
        code = secrets.token_urlsafe(16)
        self.grants[code] = query
        answer = {"state": query["state"]} | ({"error": "access_denied"} if self.declines else {"code": code})
        if not self.posts:
            handler.send_response(303)
            handler.send_header("Location", f"{query['redirect_uri']}?{urllib.parse.urlencode(answer)}")
            return handler.end_headers()
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value, quote=True)}">'
            for name, value in answer.items())
        self.html(
            handler,
            f'<form method="post" action="{html.escape(query["redirect_uri"], quote=True)}">{fields}'
            '<noscript><button type="submit">Go on</button></noscript></form>'
            "<script>document.forms[0].submit()</script>")

    def token(self, handler, form):
        grant = self.grants.pop(form.get("code"), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            grant is None or handler.headers["Authorization"] != f"Basic {basic}"
            or form["redirect_uri"] != grant["redirect_uri"] or challenge != grant["code_challenge"]
        ):
            return self.json(handler, {"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": grant["nonce"], **self.person,
        }
        token = jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "1"})
        self.json(handler, {"access_token": "x", "token_type": "Bearer", "id_token": token})

    def json(self, handler, content, status=200):
        self.send(handler, "application/json", json.dumps(content), status)

    def html(self, handler, body):
        self.send(handler, "text/html; charset=utf-8", PAGE.format(body=body), 200)

    @staticmethod
    def send(handler, kind, text, status):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(text.encode())
