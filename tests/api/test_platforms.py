"""The catalogue says what manifests and blueprints say, to everybody."""

import httpx

from app.platforms.service import pairs_as_json
from app.rehearsal.conformance import TRIALS
from connectors.registry import BLUEPRINTS, PLATFORMS, load_blueprint
from tests.api.problem_kit import problem


class TestPlatforms:
    async def test_list(self, http: httpx.AsyncClient) -> None:
        response = await http.get("/v1/platforms")
        body = response.json()
        assert body["object"] == "list"
        assert {each["slug"] for each in body["data"]} == set(PLATFORMS)
        assert "public" in response.headers["cache-control"]

    async def test_one(self, http: httpx.AsyncClient) -> None:
        body = (await http.get("/v1/platforms/zoho_crm")).json()
        manifest = PLATFORMS["zoho_crm"]
        assert body["roles"] == ["destination"]
        assert body["limits"]["batch"] == manifest.limits.batch
        assert set(body["editions"]) == set(manifest.editions)
        assert body["capabilities"] == manifest.capabilities.model_dump()
        assert {each["name"] for each in body["credentials"]} == set(manifest.credentials.model_fields)
        assert any(each["secret"] for each in body["credentials"])

    async def test_a_destination_shows_what_was_proved(self, http: httpx.AsyncClient) -> None:
        """The table is what the conformance suite wrote: every guarantee holds, under faults, for every object."""
        for slug, manifest in PLATFORMS.items():
            table = (await http.get(f"/v1/platforms/{slug}")).json()["guarantees"]
            assert (table is None) == (manifest.destination is None), slug
            if table is None:
                continue
            assert table["destination"] == slug
            names = {one["name"]: one for one in table["guarantees"]}
            trials = {trial.guarantee for trial in TRIALS}
            assert set(names) == {*trials, "exact_rollback", "reconciliation"}
            assert all(one["holds"] and one["faults"] > 0 for one in names.values()), slug
            for guarantee in names.values():
                assert all(one["holds"] and one["records"] > 0 for one in guarantee["objects"].values()), slug
            assert all(names[name]["objects"] for name in trials), slug

    async def test_404(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/platforms/abacus"), 404, "not-found")


class TestPairs:
    async def test_list_and_filters(self, http: httpx.AsyncClient) -> None:
        body = (await http.get("/v1/pairs")).json()
        assert {(each["source"]["slug"], each["destination"]["slug"]) for each in body["data"]} == set(BLUEPRINTS)
        assert (await http.get("/v1/pairs?source=abacus")).json()["data"] == []

    async def test_neighbours_lead_on(self, http: httpx.AsyncClient) -> None:
        """Every other pair of the source and of the destination, and none besides."""
        for source, destination in BLUEPRINTS:
            adjacent = (await http.get(f"/v1/pairs/{source}/{destination}")).json()["adjacent"]
            leaving = {(one["source"]["slug"], one["destination"]["slug"]) for one in adjacent["leaving"]}
            arriving = {(one["source"]["slug"], one["destination"]["slug"]) for one in adjacent["arriving"]}
            others = BLUEPRINTS.keys() - {(source, destination)}
            assert leaving == {pair for pair in others if pair[0] == source}
            assert arriving == {pair for pair in others if pair[1] == destination}

    def test_command_prints_all_pairs(self) -> None:
        listed = {(one["source"], one["destination"]): one for one in pairs_as_json()}
        assert listed.keys() == BLUEPRINTS.keys()
        zoho = listed["servicetracker", "zoho_crm"]
        assert (zoho["grade"], zoho["compatibility"], zoho["timeline"]) == (
            "B", "10 of 11 objects map 1:1", "2–4 weeks"
        )  # fmt: skip
        for one in listed.values():
            assert list(one) == ["source", "destination", "grade", "compatibility", "timeline", "objects"]
            for row in one["objects"]:
                assert list(row) == ["source_object", "destination_object", "compatibility", "note"]

    async def test_page_is_the_blueprint(self, http: httpx.AsyncClient) -> None:
        for source, destination in BLUEPRINTS:
            blueprint = load_blueprint(source, destination)
            page = (await http.get(f"/v1/pairs/{source}/{destination}")).json()
            assert page["version"] == blueprint.version
            assert [row["note"] for row in page["objects"]] == [row.note for row in blueprint.rows]
            assert [row["compatibility"] for row in page["objects"]] == [row.compatibility for row in blueprint.rows]
            assert len(page["gotchas"]) == len(blueprint.gotchas)
            assert [step["title"] for step in page["steps"]] == [step.title for step in blueprint.steps]
            assert page["mapped_of_eight"] == blueprint.mapped_of_eight
            assert page["complexity"]["grade"] == page["grade"]
            assert len(page["complexity"]["factors"]) == 5
            assert page["duration"]["label"] == page["timeline"] == blueprint.timeline.label
            for side in ("leaving", "arriving"):
                assert all(each["url"] != page["url"] for each in page["adjacent"][side])

    async def test_row_that_does_not_move_names_its_file(self, http: httpx.AsyncClient) -> None:
        page = (await http.get("/v1/pairs/servicetracker/zoho_crm")).json()
        still = [row for row in page["objects"] if not row["moves"]]
        assert still
        assert all(row["files"] for row in still)

    async def test_404(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/pairs/zoho_crm/servicetracker"), 404, "unknown-pair")
