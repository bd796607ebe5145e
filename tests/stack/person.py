"""A person's browser, as far as a form needs one: it keeps cookies, and sends a page's form back with the page's token."""

import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.stack.system import Answer, System


class Person:
    """Speaks to the gateway over TLS; redirects are not followed."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._cookies = SimpleCookie()

    def get(self, path: str) -> Answer:
        """Read a page."""
        return self._remembered(self._system.get(path, **self._headers()))

    def send(self, page: str, to: str = "", **fields: str) -> Answer:
        """Read `page`, fill in its form, and send it there, or to where it says."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page).text)
        assert token is not None, f"{page} has no form"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://localhost:{self._system.https}"}
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        return self._remembered(self._system.request("POST", to or page, body, **self._headers(), **headers))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())} if self._cookies else {}

    def _remembered(self, answer: Answer) -> Answer:
        for line in answer.cookies:
            self._cookies.load(line)
        return answer
