"""A GitLab that fails in one way, for programs (git, curl) that need a server of their own."""

import socketserver
import threading
import time

ADVERTISEMENT = "application/x-git-upload-pack-advertisement"


def _head(status, body=b"", length=None, **headers):
    fields = {"Content-Length": len(body) if length is None else length, **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


# Each fault: the bytes that are sent, None for silence.
FAULTS = {
    "silent": None,
    "closes": b"",
    "garbage": b"\x00\xff nonsense\r\n\r\n",
    "401": _head(401, b"HTTP Basic: Access denied", WWW_Authenticate='Basic realm="GitLab"'),
    "403": _head(403, b"no"),
    "404": _head(404, b"no"),
    "429": _head(429, b"Retry later", Retry_After=7, Content_Type="text/plain"),
    "500": _head(500, b"<html>secret stack trace</html>"),
    "503": _head(503, b"maintenance", Retry_After=9),
    "moved": _head(301, Location="https://gitlab.example.com/users/sign_in"),
    "html": _head(200, b"<html>sign in</html>", Content_Type="text/html"),
    "truncated": _head(200, b"001e# service=git-upload", 5000, Content_Type=ADVERTISEMENT),
}


class FaultyGitLab:
    """Answers every request with one fault; a context. `url` is its origin."""

    def __init__(self, fault):
        answer = FAULTS[fault]
        self.requests = requests = []
        self.ended = ended = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                request = self.rfile.readline()
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                requests.append(request.decode())
                if answer is None:
                    self.request.settimeout(0.1)
                    while not ended.is_set():
                        time.sleep(0.02)
                else:
                    self.wfile.write(answer)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
