import time
from tests.runs.road import *
from connectors.sandboxkit.config import SandboxConfig
async def test_time(database_url):
    t0=time.time()
    with sandbox("servicetracker", SandboxConfig(scale=200)) as s, sandbox("zoho_crm", SandboxConfig()) as z:
        print("start", time.time()-t0)
        async with road(database_url, s, z) as r:
            for k in ("discovery","preflight","mapping","provision","sample","full"):
                t=time.time()
                if k=="mapping":
                    await r.confirm(await r.propose()); await r.decide_owners()
                else: await r.run(k)
                print(k, round(time.time()-t,2))
            before=None
            t=time.time(); await r.run("full"); print("second full", time.time()-t)
            t=time.time(); await r.run("rollback"); print("rollback", time.time()-t)
