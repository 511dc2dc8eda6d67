"""Requests to one SDE server with its token, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from config.definitions import SdeServer
from config.secrets import SecretError
from runners.sde.errors import Refused, Throttled, Unanswered
from runners.sde.wire import BASE, said
from runners.web import Answer, AsyncWeb, Body, NotSent, Query, Unreachable

_NO_WORDS = "it gives no reason"
_SHOWN = 200
_AFTER_UPLOAD = timedelta(minutes=5)  # a server works through a large file before it answers


class Session:
    """Requests with the server's token, which is in no text and goes to no other host."""

    def __init__(self, server: SdeServer, *, folder: Path, environ: Mapping[str, str]) -> None:
        """Nothing is sent yet; a relative `ca` is from `folder`, the token is looked for in `environ`."""
        self._server = server
        self._folder = folder
        self._environ = environ
        self._web: AsyncWeb | None = None
        self._token: str | None = None
        self._hidden: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Host and port, as its address has them."""
        return urlsplit(self._server.url).netloc.rpartition("@")[2].lower()

    async def aclose(self) -> None:
        """Close the connections; the token is forgotten."""
        if self._web is not None:
            await self._web.aclose()
        self._web = self._token = None
        self._hidden = ()

    async def get(self, path: str, query: Query = ()) -> Any:
        """The JSON of a 200.

        Raises:
            NotSent: Nothing was asked for.
            Unreachable: No usable answer.
            Throttled, Refused: As the server says.
        """
        answer = await self._call("GET", path, query=query)
        if answer.status != 200:
            raise Unanswered(f"status {answer.status} where 200 was expected")
        return self._json(answer)

    async def post(self, path: str, json: Any = None, *, body: Body | None = None) -> Any:
        """The JSON of a 201, which is the only success: of `json`, or of a form.

        Raises:
            NotSent: Nothing was asked for.
            Unreachable: No usable answer: it may have been done.
            Throttled, Refused: As the server says; it has not been done.
        """
        within = None if body is None else max(self._server.timeout, _AFTER_UPLOAD)
        answer = await self._call("POST", path, json=json, body=body, within=within)
        if answer.status != 201:
            raise Unanswered(f"status {answer.status} where 201 was expected")
        return self._json(answer)

    async def _call(self, method: str, path: str, **what: Any) -> Answer:
        """An answer of 200 to 299. A token that is refused is read anew, and tried once if it is another one."""
        used = self._token or self._read_token()
        answer = await self._send(method, path, used, **what)
        if answer.status == 401 and (present := self._read_token()) != used:
            answer = await self._send(method, path, present, **what)
        return self._judged(answer)

    def _read_token(self) -> str:
        try:
            token = self._server.token.resolve(self._environ).strip()
        except SecretError as error:
            raise NotSent(f"no token: {error}") from None
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise NotSent("the token cannot be sent: it has blanks or characters that no header takes")
        known = {token, quote(token, safe=""), *self._hidden[-8:]}
        self._hidden = tuple(sorted((one for one in known if one), key=len, reverse=True))
        self._token = token
        return token

    async def _send(self, method: str, path: str, token: str, **what: Any) -> Answer:
        headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        try:
            return await self._open().request(method, path, headers=headers, **what)
        except NotSent as error:
            raise NotSent(self._safe(str(error))) from None
        except Unreachable as error:
            raise Unanswered(self._safe(str(error))) from None

    def _open(self) -> AsyncWeb:
        """The client. Raises NotSent."""
        if self._web is None:
            server = self._server
            self._web = AsyncWeb(
                server.url.rstrip("/").removesuffix(BASE.rstrip("/")) + BASE,
                timeout=server.timeout,
                ca=None if server.ca is None else self._folder / server.ca,
                verify=server.verify,
            )
        return self._web

    def _judged(self, answer: Answer) -> Answer:
        match answer.status:
            case status if 200 <= status < 300:
                return answer
            case status if 300 <= status < 400:
                raise Refused(status, self._redirect(answer))
            case 429:
                raise Throttled(self._words(answer), _after(answer))
            case status if 400 <= status < 500 and status != 408:
                raise Refused(status, self._words(answer))
            case status:
                raise Unanswered(f"{self._words(answer)} (status {status})", _after(answer))

    def _redirect(self, answer: Answer) -> str:
        there = urlsplit(self._safe(answer.headers.get("location", "")))
        name = f"{there.scheme}://{there.netloc.rpartition('@')[2]}" if there.netloc else there.path
        return self._safe(
            f"the server sends us elsewhere ({name[:_SHOWN]}): write the address that it has now as url"
        )

    def _json(self, answer: Answer) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise Unanswered("the answer is no JSON") from None

    def _words(self, answer: Answer) -> str:
        """What the server says, in a form for an operator."""
        return self._safe(said(answer.body)) or _NO_WORDS

    def _safe(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return text


def _after(answer: Answer) -> timedelta | None:
    """How long the server wants to be left alone, by its own clock."""
    try:
        now = parsedate_to_datetime(answer.headers.get("date", ""))
        return answer.retry_after(now)
    except (ValueError, TypeError):
        # Only an answer in seconds can be understood without the time of the answer.
        text = answer.headers.get("retry-after", "").strip()
        return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else None
