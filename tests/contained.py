"""Shows what the Dockerfile promises where no image can be built: the same layout without Docker, as root.

    python -m tests.contained

Installs Clawback as the image does (the wheel, and requirements-run.lock by hash) into a directory of root's. Then it
serves as user 10001, without any capability, in a mount namespace whose root is read-only but for a data directory and
an empty /tmp; asks the health check of the Dockerfile; stops it; and looks at what is left.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
USER = "10001"
PATIENCE_S = 120.0
SERVE = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / || exit 99
shift
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def install(target: Path) -> Path:
    """The environment of the image; gives the path of its `clawback`."""
    system = Path("/usr/bin/python3")  # an interpreter in a home directory cannot be read by another user
    interpreter = str(system if system.exists() else sys.executable)
    subprocess.run([interpreter, "-m", "venv", "--without-pip", str(target)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(target / "bin/python"), "--disable-pip-version-check"]
    lock = ROOT / "requirements-run.lock"
    subprocess.run(
        [*pip, "install", "--quiet", "--only-binary", ":all:", "--require-hashes", "-r", str(lock)], check=True
    )
    with tempfile.TemporaryDirectory() as built:
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", built]
        subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
        wheels = [str(wheel) for wheel in Path(built).glob("*.whl")]
        subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", *wheels], check=True)
    return target / "bin/clawback"


def health_check() -> str:
    """The program that the image's HEALTHCHECK runs."""
    (program,) = re.findall(
        r'HEALTHCHECK.*?"-c", \\\n\s*("(?:[^"\\]|\\.)*")\]', (ROOT / "Dockerfile").read_text(), re.S
    )
    return str(json.loads(program))


def serve(command: Path, data: Path, log: Path) -> None:
    stated = {
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "HOME": str(data),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "CLAWBACK_STORE": str(data / "clawback.duckdb"),
        "CLAWBACK_PORT": "0",
        "CLAWBACK_LOG": "json",
    }
    shut_in = ["unshare", "--mount", "sh", "-c", SERVE, "sh", str(data), str(command), "serve"]
    with log.open("wb") as errors:
        process = subprocess.Popen(shut_in, cwd=data, env=stated, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("Clawback serves"), log.read_text()
        port = re.findall(r":(\d+)/", said)[0]
        await_health(command.with_name("python"), stated | {"CLAWBACK_PORT": port})
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.findall(r"^Uid:\s+(\d+)", status, re.MULTILINE) == [USER]
        assert re.findall(r"^CapEff:\s+(\w+)", status, re.MULTILINE) == ["0" * 16]
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_S)
        assert code == 0, f"it ended with {code}: {log.read_text()}"
    finally:
        process.kill()
        process.wait()


def await_health(python: Path, stated: dict[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        asked = subprocess.run([python, "-c", health_check()], env=stated, capture_output=True, text=True)
        if asked.returncode == 0:
            return
        assert time.monotonic() < deadline, asked.stderr
        time.sleep(0.5)


def main() -> None:
    place = Path(tempfile.mkdtemp(prefix="clawback-contained-"))
    try:
        place.chmod(0o755)
        data, log = place / "data", place / "log"
        data.mkdir(mode=0o750)
        shutil.chown(data, int(USER), int(USER))
        serve(install(place / "app"), data, log)
        left = sorted(path.name for path in data.iterdir())
        beside = ("", ".audit.jsonl", ".ledger", ".tokens")
        assert left == [f"clawback.duckdb{name}" for name in beside], left
        sys.stdout.write(f"Served as user {USER} from a read-only root, healthy, ended with 0; left: {left}\n")
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
