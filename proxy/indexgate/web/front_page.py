"""`/`: for a person who opens the gate's address in a browser."""

from html import escape

from aiohttp import hdrs, web

from indexgate.gate import Gate

_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class FrontPage:
    """Says what this is and how to use it. *base* is the gate's own address, `/` if unknown."""

    def __init__(self, gate: Gate, base: str) -> None:
        self._gate = gate
        self._base = base

    def routes(self) -> list[web.RouteDef]:
        """Return the route, for the application's table."""
        return [web.get("/", self.answer)]

    async def answer(self, _request: web.Request) -> web.Response:
        """Answer with the page."""
        policy = self._gate.policy
        return web.Response(
            text=_PAGE.format(index=escape(f"{self._base}simple/"), policy=escape(policy.place)),
            headers={
                hdrs.CONTENT_TYPE: "text/html; charset=utf-8",
                hdrs.CACHE_CONTROL: "no-cache",
                "Content-Security-Policy": _CSP,
            },
        )


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>indexgate</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto;
  padding: 0 1.2rem; }}
code {{ font: .92em ui-monospace, monospace; }}
</style>
</head>
<body>
<h1>indexgate</h1>
<p>This is a gate in front of a Python package index: installers ask it instead of the index, and
it refuses or warns by the policy <code>{policy}</code>.</p>
<p><code>pip install --index-url {index} NAME</code></p>
<p><a href="simple/">The index</a>, <a href="-/health">the state of the gate</a>.</p>
</body>
</html>
"""
