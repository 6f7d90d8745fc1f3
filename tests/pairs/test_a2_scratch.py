import json, pytest
from app.domain.proposing import validate
from connectors.sandboxkit.config import SandboxConfig
from tests.runs.road import road, sandbox


async def test_scratch(database_url):
    with (
        sandbox("servicetracker", SandboxConfig(scale=150, seed=7)) as s,
        sandbox("freshsales", SandboxConfig(edition="enterprise")) as d,
    ):
        async with road(
            database_url, s, d, pair=("servicetracker", "freshsales"), call_timeout_seconds=20.0, lease_seconds=40.0
        ) as way:
            await way.run("discovery")
            await way.run("preflight")
            doc = await way.propose()
            src, dst = await way.inventory("source"), await way.inventory("destination")
            for p in validate(doc, src, dst):
                print(p.blocking, p.pointer, p.code, p.message)
            for k, _, body in await way.reports(way.runs["preflight"]):
                if k == "gap":
                    for f in body["findings"]:
                        print(f["severity"], f["code"], f["text"][:200])
            doc = doc.model_copy(
                update={
                    "loads": tuple(
                        l.model_copy(update={"enabled": l.enabled and l.key != "products"}) for l in doc.loads
                    )
                }
            )
            await way.confirm(doc)
            await way.decide_owners()
            await way.run("provision", expect="waiting_admin")
            print((await way.row(way.runs["provision"])).problem)
            await way.destination.post(
                "admin", {"action": "create_row", "selector": "lead_sources", "name": "ServiceTracker Website"}
            )
            await way.execute("UPDATE runs SET state='queued', next_at=now() WHERE id=$1", way.runs["provision"])
            await way.drive(way.runs["provision"])
            for kind in ("sample", "full"):
                r = await way.run(kind)
                st = await way.stages(r)
                for k, one in st.items():
                    if one.kind in ("load", "note", "file", "link", "verify", "reconcile"):
                        print(kind, k, one.counts, {a: b for a, b in one.detail.items() if a in ("reasons",)})
                print((await way.row(r)).calls, (await way.row(r)).forecast)
                for k, _, body in await way.reports(r):
                    if k == "readback":
                        for row in body["rows"]:
                            bad = [f for f in row["fields"] if f["verdict"] != "equal"]
                            if bad:
                                print("DIFF", body["load"], row["source_id"], bad[:3])
            for row in await way.ledger("outcome in ('held','quarantined')"):
                print(row["source_object"], row["target_object"], row["outcome"], row["reason"])
