"""What fuzzed requests walk on: one tenant with one of everything, so that right requests find something to act on."""

from dataclasses import replace

from app.domain.ids import encode_id
from app.models.columns import new_id
from app.models.engagement import Question
from tests.api.engagement_kit import BODY, Move
from tests.api.webhook_kit import happen


async def prepare(move: Move) -> dict[str, str]:
    """Ids by path parameter, or by `operation.parameter` where an operation is given one of its own, because it would
    take away what the others stand on or turn a connection to another address."""
    owner = move.client
    await move.settle_owners()
    proposed = await move.propose()
    assert proposed["version"] == 1
    run = await move.add_run("sample")
    await move.add_stage(run, "load:accounts", state="done", done=3, total=3)
    report = await move.add_report("preflight", {"orphans": 1}, {"lines": []}, run)
    paused = await move.add_run("discovery", "paused")
    endpoint = (await owner.post("/v1/webhook_endpoints", json={"url": "http://127.0.0.1:9/"})).json()["id"]
    await happen(move.runtime, owner)
    sent = (await owner.get(f"/v1/webhook_endpoints/{endpoint}/deliveries")).json()["data"][0]["id"]
    quote = {"source": "servicetracker", "destination": "zoho_crm"}
    other = replace(move, id=(await owner.post("/v1/engagements", json=BODY)).json()["id"])
    await other.put_connection("destination")
    assert (await other.put_connection("source", config={"mode": "upload"}, credentials=None)).status_code == 200
    uploaded = await owner.post(
        f"{other.path}/uploads?name=Account.csv", content=b"Id,Name\n1,Ann\n2\n", headers={"Content-Type": "text/csv"}
    )
    assert uploaded.status_code == 201, uploaded.text
    apart = ("put_connection", "upload_file", "list_uploads", "get_upload", "list_upload_documents")
    return {
        "engagement_id": move.id,
        "run_id": paused,
        **{f"{name}.run_id": run for name in ("approve_run", "follow_run", "list_run_failures", "list_run_records")},
        "report_id": report,
        "endpoint_id": endpoint,
        "delivery_id": sent,
        "quote_id": (await owner.post("/v1/quotes", json=quote)).json()["id"],
        "key_id": (await owner.post("/v1/keys", json={"name": "spare"})).json()["id"],
        "file_id": await move.add_file(b"Id\n1\n", "a.csv"),
        "question_id": await _question(move),
        "upload_id": uploaded.json()["id"],
        **{f"{name}.engagement_id": other.id for name in (*apart, "list_upload_rejects", "purge_engagement")},
    }


async def _question(move: Move) -> str:
    question = new_id()
    async with move.runtime.db.transaction(move.client.tenant_id) as session:
        session.add(
            Question(
                id=question,
                tenant_id=move.client.tenant_id,
                engagement_id=move.uuid,
                subject="s",
                code="c",
                options={"choices": ["a"]},
                created_at=move.runtime.now(),
            )
        )
    return encode_id("question", question)
