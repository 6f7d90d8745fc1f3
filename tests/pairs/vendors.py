"""Both vendors seen from outside: records made and read through their public APIs, with clients of the tests' own.

Nothing here uses a connector of the product or a sandbox's private paths.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Self

import httpx

_FIELDS_PER_CALL = 45
_PAGE = 200


class Tracker:
    """A ServiceTracker account: records by POST, and as the API shows them; signed in and closed as a context."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60, verify=False)
        self._root = "/services/data/v60.0"

    async def __aenter__(self) -> Self:
        await self.sign_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def sign_in(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
        }
        answer = await self._http.post("/services/oauth2/token", data=form)
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def create(self, name: str, **values: Any) -> str:
        """Creates a record and returns its id; bytes become base64 as the API wants them."""
        body = {
            key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for key, value in values.items()
        }
        answer = await self._http.post(f"{self._root}/sobjects/{name}", json=body)
        assert answer.status_code == 201, (name, answer.text)
        return str(answer.json()["id"])

    async def change(self, name: str, record_id: str, **values: Any) -> None:
        answer = await self._http.patch(f"{self._root}/sobjects/{name}/{record_id}", json=values)
        assert answer.status_code == 204, answer.text

    async def delete(self, name: str, record_id: str) -> None:
        answer = await self._http.delete(f"{self._root}/sobjects/{name}/{record_id}")
        assert answer.status_code == 204, answer.text

    async def read(self, name: str, record_id: str) -> dict[str, Any]:
        answer = await self._http.get(f"{self._root}/sobjects/{name}/{record_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def rows(self, soql: str) -> list[dict[str, Any]]:
        """The first page of a query."""
        answer = await self._http.get(f"{self._root}/query", params={"q": soql})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    async def close(self) -> None:
        await self._http.aclose()


class Zoho:
    """A Zoho CRM org: modules and fields by their labels, records by the former id."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60, verify=False)
        self._modules: dict[str, str] = {}
        self._fields: dict[str, dict[str, str]] = {}
        self._records: dict[str, dict[str, dict[str, Any]]] = {}

    async def sign_in(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh",
        }
        answer = await self._http.post("/oauth/v2/token", data=form)
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Zoho-oauthtoken {answer.json()['access_token']}"
        modules = await self.get("/crm/v8/settings/modules")
        self._modules = {one["plural_label"]: one["api_name"] for one in modules["modules"]}

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        """A JSON answer; {} for 204."""
        answer = await self._http.get(path, params=params)
        assert answer.status_code in (200, 204), (path, answer.status_code, answer.text[:300])
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found

    async def send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._http.request(method, path, json=body)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.text[:300])
        found: dict[str, Any] = answer.json()
        return found

    def module(self, label: str) -> str:
        return self._modules[label]

    async def fields(self, label: str) -> dict[str, str]:
        """API names by field label."""
        if label not in self._fields:
            found = await self.get("/crm/v8/settings/fields", module=self.module(label))
            self._fields[label] = {one["field_label"]: one["api_name"] for one in found["fields"]}
        return self._fields[label]

    async def records(self, label: str) -> dict[str, dict[str, Any]]:
        """All records of a module that carry a former id, by that id, each as {field label: value} plus `id`."""
        if label not in self._records:
            fields = await self.fields(label)
            rows: dict[str, dict[str, Any]] = {}
            names = [name for name in fields.values() if name != "id"]
            for start in range(0, len(names), _FIELDS_PER_CALL):
                for row in await self._list(label, names[start : start + _FIELDS_PER_CALL]):
                    rows.setdefault(row["id"], {}).update(row)
            labels = {name: text for text, name in fields.items()}
            shown = [
                {**{labels[key]: one for key, one in row.items() if key in labels}, **_own(row)}
                for row in rows.values()
            ]
            self._records[label] = {row["Source System ID"]: row for row in shown if row.get("Source System ID")}
        return self._records[label]

    async def _list(self, label: str, names: Sequence[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            wanted = ",".join([*names, "$se_module"])
            found = await self.get(f"/crm/v8/{self.module(label)}", fields=wanted, page=str(page), per_page=str(_PAGE))
            rows += found.get("data", [])
            if not found.get("info", {}).get("more_records"):
                return rows
            page += 1

    def reference(self, value: Any) -> str | None:
        """The id in a lookup's value."""
        return str(value.get("id")) if isinstance(value, dict) else None

    def person(self, value: Any) -> str | None:
        """The address in an owner's value."""
        return value.get("email") if isinstance(value, dict) else None

    async def notes(self, label: str, record_id: str) -> list[dict[str, Any]]:
        path = f"/crm/v8/{self.module(label)}/{record_id}/Notes"
        found = await self.get(path, fields="Note_Title,Note_Content,Parent_Id")
        return list(found.get("data", []))

    async def files(self, label: str, record_id: str) -> dict[str, dict[str, Any]]:
        """The record's attachments by name; `bytes` holds the content, None for a link."""
        path = f"/crm/v8/{self.module(label)}/{record_id}/Attachments"
        found = await self.get(path, fields="id,File_Name,Size,$link_url")
        result = {}
        for row in found.get("data", []):
            body = None
            if not row.get("$link_url"):
                answer = await self._http.get(f"{path}/{row['id']}")
                answer.raise_for_status()
                body = answer.content
            result[row["File_Name"]] = {**row, "bytes": body}
        return result

    async def user(self, email: str) -> str:
        """The id of a user."""
        found = await self.get("/crm/v8/users", type="AllUsers")
        return next(str(one["id"]) for one in found["users"] if one["email"] == email)

    async def close(self) -> None:
        await self._http.aclose()


def _own(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("id", "$se_module") if key in row}
