"""Receives notices over HTTPS with a certificate of its own authority.

Writes the authority's certificate where it is told, prints its port, then a line in JSON for each request. The path
says how it answers: /ok takes every notice, /busy says 503 to the first, /gone says 410.
"""

import http.server
import json
import ssl
import sys

import trustme

authority = trustme.CA()
authority.cert_pem.write_to_path(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
seen = {}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        seen[self.path] = seen.get(self.path, 0) + 1
        status = 410 if self.path == "/gone" else 503 if self.path == "/busy" and seen[self.path] == 1 else 204
        headers = {name.lower(): value for name, value in self.headers.items()}
        print(json.dumps({
            "path": self.path, "status": status, "headers": headers, "body": body.decode(),
            "version": self.connection.version()}), flush=True)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
