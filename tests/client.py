"""A logged-in person without a browser: pages, slices and the socket of a running site."""

from __future__ import annotations

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
import uuid
from typing import Any

from websockets.sync.client import connect

from annotator import protocol
from annotator.protocol import MaskFrame


class Client:
    """`get(path)` → bytes, `json(path)` → object; raises urllib.error.HTTPError for refusals."""

    def __init__(self, url: str, name: str, password: str = "demo") -> None:
        self.url, self.cookies = url, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        page = self.get("/login/").decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, "the log-in page has no form"
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token[1]}
        self.opener.open(url + "/login/", urllib.parse.urlencode(form).encode(), timeout=60).read()

    def get(self, path: str) -> bytes:
        with self.opener.open(self.url + path, timeout=60) as answer:
            return answer.read()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def socket(self, assignment: int) -> LiveSocket:
        return LiveSocket(self, f"/ws/assignments/{assignment}/")


class LiveSocket:
    """Messages of the live protocol; `receive` gives decoded messages and mask frames."""

    def __init__(self, client: Client, path: str) -> None:
        self.name = str(uuid.uuid4())  # of the window
        cookie = "; ".join(f"{c.name}={c.value}" for c in client.cookies)
        headers = {"Cookie": cookie, "Origin": client.url}
        self.opened = connect("ws" + client.url.removeprefix("http") + path, additional_headers=headers)
        self.connection = self.opened.__enter__()

    def __enter__(self) -> LiveSocket:
        return self

    def __exit__(self, *error: object) -> None:
        self.opened.__exit__(*error)  # type: ignore[arg-type]

    def send(self, message: protocol.ClientMessage) -> None:
        self.connection.send(protocol.encode(message))

    def receive(self, timeout: float = 60) -> Any:
        frame = self.connection.recv(timeout)
        if isinstance(frame, bytes):
            return MaskFrame.from_bytes(frame)
        return protocol.decode(frame, protocol.SERVER_MESSAGES)

    def receive_until(self, kind: type[Any], timeout: float = 60) -> Any:
        while not isinstance(message := self.receive(timeout), kind):
            assert not isinstance(message, protocol.Error), message
        return message

    def hello(self) -> protocol.Welcome:
        self.send(protocol.Hello(protocol.PROTOCOL_VERSION, self.name))
        return self.receive_until(protocol.Welcome)
