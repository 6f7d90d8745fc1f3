from pathlib import Path
from connectors.octopuspro.generator import write_export
from tests.pairs.company import Company
from tests.pairs.conftest import moving
from tests.pairs.uploading import send_files


async def test_it(database_url, tmp_path: Path):
    write_export(tmp_path, 200, 1)
    files = {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    async with moving(database_url, "", Company(), pair=("octopuspro", "zoho_crm")) as made:
        way = made.road
        await send_files(way, files, timezone="Australia/Sydney")
        await way.run("discovery")
        await way.run("preflight")
        await way.confirm(await way.propose())
        await way.decide_owners()
        await way.run("provision")
        await way.run("full")
        for r in await way.fetch("select source_object, source_id, target_object, reason, issues from ledger where outcome='quarantined'"):
            print("Q", dict(r))
