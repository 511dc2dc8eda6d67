"""A login at a CCS server, shared by all that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.definitions import CcsServer
from config.secrets import SecretError
from runners.ccs.errors import Denied, LoginRefused, NotTaken, Refused, Unanswered
from runners.ccs.wire import PasswordGrant, RefreshGrant, Tokens, parse_tokens
from runners.ccs.wire.answers import said
from runners.web import Answer, AsyncWeb, NotSent, Query, Unreachable

BASE = "/ccs/api/v1"
_LABEL = {"Content-Type": "application/json"}  # what its own clients call the form text of a login


class Session:
    """One login: requests with its token, renewed when the server no longer takes it."""

    def __init__(self, server: CcsServer, *, folder: Path, environ: Mapping[str, str]) -> None:
        """Nothing is sent yet; a relative `ca` is from `folder`, the password is looked for in `environ`."""
        self._server = server
        self._folder = folder
        self._environ = environ
        self._web: AsyncWeb | None = None
        self._tokens: Tokens | None = None
        self._renewing: asyncio.Task[Tokens] | None = None
        self._secrets: dict[str, tuple[str, ...]] = {}

    async def aclose(self) -> None:
        """Close the connections; the tokens are forgotten."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if self._web is not None:
            await self._web.aclose()
        self._web = self._tokens = None
        self._secrets.clear()

    async def call(self, method: str, path: str, *, query: Query = (), json: Any = None) -> Answer:
        """The answer to a request, its status 200 to 299. On a 401 there is one renewal and one repeat.

        Raises:
            NotTaken: Nothing was asked for, or the server takes nothing now.
            Unanswered: No usable answer; it may have been done.
            Denied: The login is refused, or the account has no right.
            Refused: Any other answer of 400 to 499.
        """
        tokens = await self._login(None)
        answer = await self._send(method, path, tokens, query=query, json=json)
        if answer.status == 401:
            tokens = await self._login(tokens)
            answer = await self._send(method, path, tokens, query=query, json=json)
        return self._judged(answer)

    async def log_in(self) -> None:
        """Have a token. Raises NotTaken, Denied."""
        await self._login(None)

    async def _login(self, outworn: Tokens | None) -> Tokens:
        """Tokens other than `outworn`; all who need new ones at the same time wait for one renewal."""
        if self._tokens is not None and self._tokens is not outworn:
            return self._tokens
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="ccs login")
            self._renewing.add_done_callback(self._renewed)
        return await asyncio.shield(self._renewing)  # whoever stops waiting does not end it for the others

    def _renewed(self, task: asyncio.Task[Tokens]) -> None:
        self._renewing = None
        if not task.cancelled() and task.exception() is None:
            self._tokens = task.result()

    async def _renew(self) -> Tokens:
        """By refresh, then by password."""
        refresh = None if self._tokens is None else self._tokens.refresh_token
        self._tokens = None
        if refresh is not None:
            answer = await self._grant(RefreshGrant(refresh))
            if answer.status < 400:
                return self._read(answer)
        answer = await self._grant(self._password())
        if answer.status >= 400:
            raise LoginRefused(f"the login is refused: {self._words(answer)}")
        return self._read(answer)

    def _password(self) -> PasswordGrant:
        try:
            password = self._server.password.resolve(self._environ)
        except SecretError as error:
            raise LoginRefused(f"no password to log in with: {error}") from None
        plain = PasswordGrant(self._server.username, password)
        encoded = PasswordGrant.base64(self._server.username, password)
        self._hide("password", password, encoded.password)
        return encoded if self._server.password_encoding == "base64" else plain  # noqa: S105 - a setting

    async def _grant(self, grant: PasswordGrant | RefreshGrant) -> Answer:
        """The server's answer to a grant: 200 to 499. Raises NotTaken."""
        try:
            answer = await self._open().request("POST", "/oauth/tokens", content=grant.wire(), headers=_LABEL)
        except Unreachable as error:
            raise NotTaken(f"no answer to the login: {self._hidden(str(error))}") from None
        if (
            answer.status < 200
            or 300 <= answer.status < 400
            or answer.status >= 500
            or answer.status in (408, 429)
        ):
            raise NotTaken(f"no answer to the login: {self._words(answer)}", answer)
        return answer

    def _read(self, answer: Answer) -> Tokens:
        try:
            tokens = parse_tokens(answer.json())
        except ValueError:
            raise NotTaken("the answer to the login cannot be read") from None
        self._hide("former tokens", *self._secrets.get("tokens", ()))
        self._hide("tokens", tokens.access_token, tokens.refresh_token or "")
        return tokens

    async def _send(self, method: str, path: str, tokens: Tokens, *, query: Query, json: Any) -> Answer:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        try:
            return await self._open().request(method, path, query=query, json=json, headers=headers)
        except NotSent as error:
            raise NotTaken(self._hidden(str(error))) from None
        except Unreachable as error:
            raise Unanswered(self._hidden(str(error))) from None

    def _open(self) -> AsyncWeb:
        """The client. Raises NotSent."""
        if self._web is None:
            server = self._server
            self._web = AsyncWeb(
                server.url.rstrip("/") + BASE,
                timeout=server.timeout,
                ca=None if server.ca is None else self._folder / server.ca,
                verify=server.verify,
            )
        return self._web

    def _judged(self, answer: Answer) -> Answer:
        words = "" if answer.status < 300 else self._words(answer)
        match answer.status:
            case status if 200 <= status < 300:
                return answer
            case 401 | 403:
                raise Denied(words)
            case 429:
                raise NotTaken(words, answer)
            case status if 400 <= status < 500 and status != 408:
                raise Refused(words, status)
            case _:
                raise Unanswered(words, answer)

    def _words(self, answer: Answer) -> str:
        """What the server says, in a form for an operator."""
        return self._hidden(f"{said(answer.body) or 'it gives no reason'} (status {answer.status})")

    def _hide(self, which: str, *secrets: str) -> None:
        """Never show these: a server may repeat what it was sent."""
        self._secrets[which] = tuple(dict.fromkeys(secret for secret in secrets if secret))

    def _hidden(self, text: str) -> str:
        known = [one for secrets in self._secrets.values() for one in secrets]
        for secret in sorted({*known, *(quote(one, safe="") for one in known)}, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text
