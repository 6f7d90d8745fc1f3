import json
from pathlib import Path
from connectors.octopuspro.generator import write_export
from tests.pairs.company import Company
from tests.pairs.conftest import moving
from tests.pairs.uploading import send_files


async def test_it(database_url, tmp_path: Path):
    write_export(tmp_path, 150, 1)
    files = {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    async with moving(database_url, "", Company(), pair=("octopuspro", "zoho_crm")) as made:
        way = made.road
        await send_files(way, files, timezone="Australia/Sydney")
        await way.run("discovery")
        await way.run("preflight")
        for kind, s, body in await way.reports(way.runs["preflight"]):
            print(kind, json.dumps(s, indent=1))
            print(json.dumps(body["findings"], indent=0)[:6000])
            if kind == "gap": print(json.dumps(body["not_moving"], indent=0)[:3000])
        d = await way.propose()
        for l in d.loads:
            print(l.key, l.enabled, [(f.target, f.sources) for f in l.fields if f.origin != "blueprint"])
        await way.confirm(d)
        await way.decide_owners()
        await way.run("provision")
        await way.run("sample")
        await way.run("full")
        row = await way.row(way.runs["full"])
        print(row.counts)
        for r in await way.fetch("select source_object, target_object, part, outcome, reason, count(*) from ledger group by 1,2,3,4,5 order by 1,2,3"):
            print(dict(r))
        for r in await way.fetch("select source_object, target_object, issues, count(*) from ledger where issues<>'' group by 1,2,3 order by 1,2,3"):
            print(dict(r))
        for k, st in (await way.stages(way.runs["full"])).items():
            if st.kind == "reconcile": print(k, st.counts)
