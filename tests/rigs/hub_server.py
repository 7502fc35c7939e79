"""A local stand-in of the Hugging Face Hub: repositories to download from, and its API for uploads."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class HubServer:
    """The server's state, which a test sets and reads.

    Attributes:
        url: Its address.
        files: Content by "USER/NAME/FILE".
        ranges: Whether it sends part of a file on request.
        cut_after: Bytes of a graph after which it hangs up; None for never.
        refusal: Status and text with which it answers every upload; None to accept them.
        requests: Method and path of every request.
        ranges_requested: The Range header of every download that had one.
        tokens: The authorization of every request that had one.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cut_after: int | None = None
    refusal: tuple[int, str] | None = None
    requests: list[str] = field(default_factory=list)
    ranges_requested: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    created: list[dict[str, Any]] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """Serve until the block ends."""
    state = HubServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._note()
            if "/tree/" in self.path:
                repo = self.path.split("/api/models/")[1].split("/tree/")[0] + "/"
                names = [name.removeprefix(repo) for name in state.files if name.startswith(repo)]
                self._json([{"type": "file", "path": name, "size": 1, "oid": "0" * 40} for name in names])
                return
            if "/revision/" in self.path:
                # Older clients ask here whether the repository takes Xet uploads.
                self._json(
                    {"id": self.path.split("/api/models/")[1].split("/revision/")[0], "xetEnabled": False}
                )
                return
            repo, _, file = self.path.strip("/").partition("/resolve/")
            content = state.files.get(f"{repo}/{file.partition('/')[2]}")
            if content is None:
                self._answer(404, b"")
                return
            first = self._first_byte() * state.ranges
            status, rest = (206, content[first:]) if first else (200, content)
            self.send_response(status)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            cut = state.cut_after is not None and file.endswith(".onnx")
            self.wfile.write(rest[: state.cut_after] if cut else rest)
            if cut:
                self.close_connection = True

        def do_POST(self) -> None:
            self._note()
            body = self._body()
            path = urlsplit(self.path).path
            if state.refusal is not None:
                self._answer(state.refusal[0], json.dumps({"error": state.refusal[1]}).encode())
            elif path == "/api/repos/create":
                sent = json.loads(body)
                state.created.append(sent)
                self._json({"url": f"{state.url}/{sent['organization']}/{sent['name']}"})
            elif path == "/api/validate-yaml":
                state.cards.append(json.loads(body)["content"])
                self._json({"errors": [], "warnings": []})
            elif "/preupload/" in path:
                self._json({"files": [self._mode(one) for one in json.loads(body)["files"]]})
            elif path.endswith("/info/lfs/objects/batch"):
                self._json(
                    {"transfer": "basic", "objects": [*map(self._upload, json.loads(body)["objects"])]}
                )
            elif "/commit/" in path:
                self._commit(path.split("/api/models/")[1].split("/commit/")[0], body.decode())
            else:
                self._answer(404, b"")

        def do_PUT(self) -> None:
            self._note()
            content = self._body()
            state.objects[hashlib.sha256(content).hexdigest()] = content
            self._answer(200, b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _mode(self, sent: dict[str, Any]) -> dict[str, Any]:
            large = sent["path"].endswith((".onnx", ".safetensors", ".mp3"))
            mode = "lfs" if large else "regular"
            return {"path": sent["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}

        def _upload(self, wanted: dict[str, Any]) -> dict[str, Any]:
            action = {"href": f"{state.url}/objects/{wanted['oid']}"}
            return {"oid": wanted["oid"], "size": wanted["size"], "actions": {"upload": action}}

        def _commit(self, repo: str, body: str) -> None:
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    state.files[f"{repo}/{value['path']}"] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    state.files[f"{repo}/{value['path']}"] = state.objects[value["oid"]]
                elif line["key"] == "deletedFile":
                    del state.files[f"{repo}/{value['path']}"]
            url = f"{state.url}/{repo}/commit/{COMMIT}"
            self._json({"success": True, "commitOid": COMMIT, "commitUrl": url, "hookOutput": ""})

        def _note(self) -> None:
            state.requests.append(f"{self.command} {urlsplit(self.path).path}")
            if self.headers["Authorization"]:
                state.tokens.add(self.headers["Authorization"])

        def _first_byte(self) -> int:
            wanted = self.headers["Range"] or ""
            if wanted:
                state.ranges_requested.append(wanted)
            return int(wanted.removeprefix("bytes=").rstrip("-") or 0)

        def _body(self) -> bytes:
            if self.headers["Content-Length"]:
                return self.rfile.read(int(self.headers["Content-Length"]))
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _json(self, content: object) -> None:
            self._answer(200, json.dumps(content).encode(), "application/json")

        def _answer(self, status: int, content: bytes, kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
