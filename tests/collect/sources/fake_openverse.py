"""An Openverse that answers over HTTP, in the shape of ../shared/fixtures/image_search/openverse_image_search.json.

It does what is known of Openverse: 20 results a page without a token, else 401; nothing past 240 results; filters by
licence slugs; X-RateLimit-Limit-SCOPE and X-RateLimit-Available-SCOPE in every answer; tokens for a client.
"""

from dataclasses import dataclass
from typing import Any

from tests.collect.sources.fake_service import Answer, Call, FakeService, in_json

CLIENT, SECRET = "client-of-tests", "s3cret of/tests+"
SLUGS = ("cc0", "by", "by-sa", "by-nc-nd", "pdm")


@dataclass
class FakeOpenverse(FakeService):
    """The server.

    Attributes:
        has: how many pictures each keyword has.
        per_hour: calls that it answers without a token before 429; None for no limit and no such headers.
        tokens: how many were given; only the newest is good.
        drift: whether numbers come as text, and some results lack parts.
    """

    has: int = 1000
    per_hour: int | None = None
    tokens: int = 0
    drift: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point photojury here, without a limit of its own."""
        return {
            "PHOTOJURY_OPENVERSE_URL": self.url,
            "PHOTOJURY_OPENVERSE_CALLS_PER_HOUR": "100000",
            "PHOTOJURY_OPENVERSE_CALLS_PER_DAY": "100000",
        }

    def answer(self, call: Call) -> Answer:
        if call.path == "/v1/auth_tokens/token/":
            return self._token(call)
        if call.path != "/v1/images/":
            return in_json(404, {"detail": "Not found."})
        token = call.headers.get("Authorization", "")
        if token and token != f"Bearer token-{self.tokens}":
            return in_json(401, {"detail": "Given token not valid"})
        headers = self._limits(bool(token))
        if headers.get("X-RateLimit-Available-anon_burst") == "-1":
            headers |= {"Retry-After": "3000", "X-RateLimit-Available-anon_burst": "0"}
            return in_json(
                429, {"detail": "Request was throttled. Expected available in 3000 seconds."}, **headers
            )
        page, size = int(call.params.get("page", 1)), int(call.params.get("page_size", 20))
        if size > (500 if token else 20):
            return in_json(401, {"detail": "The page size is too large."})
        if page * size > 240 or (page - 1) * size >= max(1, self.has):
            return in_json(404, {"detail": "Invalid page."}, **headers)
        return in_json(200, self._found(call.params, page, size), **headers)

    def _token(self, call: Call) -> Answer:
        form = call.params
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return in_json(401, {"error": "invalid_client"})
        self.tokens += 1
        return in_json(
            200, {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 43200}
        )

    def _limits(self, known: bool) -> dict[str, str]:
        if self.per_hour is None or known:
            return {}
        left = max(-1, self.per_hour - sum(call.path == "/v1/images/" for call in self.calls))
        return {
            "X-RateLimit-Limit-anon_burst": f"{self.per_hour}/hour",
            "X-RateLimit-Available-anon_burst": str(left),
        }

    def _found(self, asked: dict[str, str], page: int, size: int) -> dict[str, Any]:
        slugs = asked["license"].split(",") if "license" in asked else SLUGS
        last = min(page * size, self.has)
        rows = [
            self.row(asked["q"], number, slugs[number % len(slugs)])
            for number in range((page - 1) * size, last)
        ]
        return {
            "result_count": str(self.has) if self.drift else self.has,
            "page_count": -(-min(self.has, 240) // size),
            "page_size": size,
            "page": page,
            "results": rows,
        }

    def row(self, keyword: str, number: int, slug: str) -> dict[str, Any]:
        """One result."""
        name = f"{keyword.replace(' ', '-')}-{number}"
        version = "1.0" if slug in ("cc0", "pdm") else "2.0"
        row: dict[str, Any] = {
            "id": f"4bc43a04-{name}",
            "title": f"{keyword} {number}",
            "indexed_on": "2022-08-27T17:39:48Z",
            "foreign_landing_url": f"https://stocksnap.io/photo/{name}",
            "url": f"https://cdn.stocksnap.io/img-thumbs/960w/{name}.jpg",
            "creator": "Tim Sullivan",
            "creator_url": "https://www.secretagencygroup.com",
            "license": slug,
            "license_version": version,
            "license_url": _address(slug, version),
            "provider": "stocksnap",
            "source": "stocksnap",
            "category": "photograph",
            "filesize": 896128,
            "filetype": "jpg",
            "tags": [
                {"accuracy": None, "name": "tree", "unstable__provider": "stocksnap"},
                {"accuracy": 0.95, "name": "tree", "unstable__provider": "machine_example"},
                {"accuracy": None, "name": "bark", "unstable__provider": "stocksnap"},
            ],
            "attribution": f'"{keyword} {number}" by Tim Sullivan is licensed under CC {slug.upper()} {version}.',
            "fields_matched": ["title"],
            "mature": False,
            "height": 4016,
            "width": 6016,
            "thumbnail": f"https://api.openverse.org/v1/images/{name}/thumb/",
            "detail_url": f"https://api.openverse.org/v1/images/{name}/",
            "related_url": f"https://api.openverse.org/v1/images/{name}/related/",
            "unstable__sensitivity": [],
        }
        if self.drift:
            row |= {"height": "4016", "width": "", "filesize": None, "tags": None}
            if number % 5 == 1:
                del row["license_url"], row["creator"], row["creator_url"], row["url"]
            if number % 5 == 2:
                row["unstable__sensitivity"] = ["user_reported_sensitivity"]
        return row


def _address(slug: str, version: str) -> str:
    if slug in ("cc0", "pdm"):
        return f"https://creativecommons.org/publicdomain/{'zero' if slug == 'cc0' else 'mark'}/{version}/"
    return f"https://creativecommons.org/licenses/{slug}/{version}/"
