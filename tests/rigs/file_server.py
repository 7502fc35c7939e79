"""A local server of files that sends ranges, and can hang up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit


@dataclass
class FileServer:
    """The server's state, which a test sets and reads.

    Attributes:
        url: Its address.
        files: Content by path without the leading slash.
        tag: The version that it states of every file.
        cut_after: Bytes after which it hangs up; None for never.
        ranges_requested: The Range header of every request that had one.
        requests: The path of every request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tag: str = '"1"'
    cut_after: int | None = None
    ranges_requested: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def file_server() -> Iterator[FileServer]:
    """Serve until the block ends."""
    state = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/")
            state.requests.append(path)
            content = state.files.get(path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            wanted = self.headers.get("Range", "")
            if wanted:
                state.ranges_requested.append(wanted)
                if self.headers.get("If-Range") == state.tag:
                    start = int(wanted.removeprefix("bytes=").partition("-")[0])
            self.send_response(206 if start else 200)
            self.send_header("ETag", state.tag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content) if state.cut_after is None else min(start + state.cut_after, len(content))
            self.wfile.write(content[start:end])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
