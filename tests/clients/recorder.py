"""A proxy between a client and the sandbox that reads along: every request and every answer is checked."""

import collections
import http.client
import http.server
import threading
import urllib.parse

from messages import Reader

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}


class Recorder:
    """Serves on loopback until the `with` ends; `calls` is what went by."""

    def __init__(self, upstream, services):
        self.calls = []
        self.lock = threading.Lock()
        parts = urllib.parse.urlsplit(upstream)
        recorder, reader = self, Reader(services)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                self.upstream = http.client.HTTPConnection(parts.hostname, parts.port)

            def finish(self):
                super().finish()
                self.upstream.close()

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {key: text for key, text in self.headers.items() if key.lower() not in HOP - {"host", "date"}}
                self.upstream.request(self.command, self.path, body or None, headers)
                answer = self.upstream.getresponse()
                content = answer.read()
                call = reader.read(self.command, self.path, self.headers, body, answer.status, answer.headers, content)
                with recorder.lock:
                    recorder.calls.append(call)
                self.send_response_only(answer.status)
                for key, text in answer.headers.items():
                    if key.lower() not in HOP - {"date", "server"}:
                        self.send_header(key, text)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

            def log_message(self, *_arguments):
                """Says nothing: what went by is in `calls`."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.server.shutdown()
        self.server.server_close()

    def violations(self, strict):
        """Returns what was wrong, the same thing once, with how often.

        Unless strict, a request may be wrong when it was refused: the parts ask for refusals on purpose.
        """
        found = collections.Counter(
            f"{call}: {wrong}"
            for call in self.calls
            for wrong in call.wrong
            if strict or call.status < 400 or not wrong.startswith("request ")
        )
        return [f"{text} [{times} times]" if times > 1 else text for text, times in sorted(found.items())]

    def done(self):
        """Returns the operations that were answered with success, as (service, operation, protocol)."""
        return {(call.service, call.operation, call.protocol) for call in self.calls if 200 <= call.status < 300}
