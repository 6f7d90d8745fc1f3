"""Runs the engine beside the peers of the shared bench and prints the comparison: `make bench`.

BENCH_DIR names the shared bench (default: `../shared/bench`), BENCH_TMP its scratch folder, where its set-up script has
put the sink and the peers' environments. BENCH_SCALES, BENCH_LATENCIES, BENCH_REPS and BENCH_PEERS choose the cut.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PEER = "staged_tranship"
DEFAULT_PEERS = "limit_raw,naive_httpx,dlt"


def main(arguments: Sequence[str]) -> int:
    """0 when measured or skipped, 1 when the engine's result is wrong."""
    shared = Path(os.environ.get("BENCH_DIR") or ROOT.parent / "shared" / "bench")
    scratch = Path(os.environ.get("BENCH_TMP") or Path(tempfile.gettempdir()) / "bench")
    if not (shared / "bench.py").is_file():
        _say(f"bench: not run, there is no shared bench at {shared} (set BENCH_DIR)")
        return 0
    if not (scratch / "venv-main" / "bin" / "python").is_file() or shutil.which("g++") is None:
        _say(f"bench: not run, {scratch} is not set up (run {shared / 'setup.sh'} with BENCH_TMP={scratch})")
        return 0
    os.environ["BENCH_TMP"] = str(scratch)
    kit = _copied(shared, scratch / "kit")
    bench = _module(kit)
    start = subprocess.run([kit / "lib" / "pg.sh", "start"], check=False, capture_output=True, text=True)
    if start.returncode:
        _say(f"bench: not run, its PostgreSQL does not start: {start.stderr.strip()[-200:]}")
        return 0
    command = [sys.executable, "-m", "tests.bench.engine_peer"]
    added = {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(scratch / "pyc"), "PYTHONDONTWRITEBYTECODE": ""}
    bench.PEERS[PEER] = (command, added, "the engine's full run")
    # compiled modules are kept, as an installed package has them and the other peers' environments do
    environment = {**os.environ, **added, "BENCH_DSN": bench.DSN}
    subprocess.run([*command, "--prepare"], check=True, cwd=ROOT, env=environment)
    return _measure(bench, arguments)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _copied(shared: Path, kit: Path) -> Path:
    """The bench writes beside its scripts, so a copy is used and the shared folder stays as it is."""
    shutil.copytree(shared, kit, dirs_exist_ok=True)
    for path in (kit, *kit.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    return kit


def _module(kit: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench", kit / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _measure(bench: ModuleType, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--scales", default=os.environ.get("BENCH_SCALES", "20000,200000"))
    parser.add_argument("--latencies", default=os.environ.get("BENCH_LATENCIES", "0,100"))
    parser.add_argument("--reps", type=int, default=int(os.environ.get("BENCH_REPS", "3")))
    parser.add_argument("--peers", default=os.environ.get("BENCH_PEERS", DEFAULT_PEERS))
    parser.add_argument("--conc", type=int, default=10)
    parser.add_argument("--cap", type=int, default=0)
    parser.add_argument("--cap-s", type=float, default=480)
    parser.add_argument("--tag", default="tranship")
    chosen = parser.parse_args(arguments)
    names = [name for name in chosen.peers.split(",") if name and name != PEER]
    usable = [name for name in names if Path(bench.PEERS[name][0][0]).exists() or shutil.which(bench.PEERS[name][0][0])]
    if missing := [name for name in names if name not in usable]:
        _say(f"bench: peers not set up and left out: {', '.join(missing)}")
    for scale in map(int, chosen.scales.split(",")):
        for latency in map(int, chosen.latencies.split(",")):
            options = {**vars(chosen), "scale": scale, "latency": latency, "peers": ",".join((PEER, *usable))}
            bench.run(argparse.Namespace(**options))
    bench.table(chosen)
    results = Path(bench.RES, f"runs-{chosen.tag}.jsonl").read_text().splitlines()
    last = next(line for line in reversed(results) if f'"{PEER}"' in line)
    return 0 if '"ok": "ok"' in last else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
