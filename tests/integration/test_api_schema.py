"""schemathesis over the whole description, all checks on, on either store: every answer as described, nothing valid refused,
nothing invalid taken, no 5xx, authentication never ignored."""

import hashlib
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import ROOT
from postgres import postgres  # noqa: F401
from roles import Roles, request

FOLDER = pathlib.Path(__file__).parent
PINS = ROOT / "tests" / "requirements-schema.txt"
LIMITS = "read=9000000,write=9000000,auth=9000000,heavy=9000000,address=9000000"


pytestmark = pytest.mark.timeout(600)


class Nobody:
    url, account, token = "http://127.0.0.1:9", "AC" + "2" * 32, "a-token-that-only-tests-know"


@pytest.fixture(scope="session")
def schemathesis():
    """The program, in an environment of its own: it wants another pytest than the tests have."""
    if os.environ.get("SCHEMATHESIS_PROGRAM"):
        return os.environ["SCHEMATHESIS_PROGRAM"]
    mark = hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / f"schemathesis-{mark}"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", PINS], check=True)
        (folder / "ready").touch()
    return folder / "bin" / "schemathesis"


def run_all(program, folder, **environment):
    roles = Roles(folder, Nobody, Nobody, LLM_PROVIDERS="openai", RATE_LIMITS=LIMITS, **environment)
    roles.start("api")
    try:
        roles.login()
        done = subprocess.run(
            [program, "--config-file", FOLDER / "schemathesis.toml", "run", roles.api + "/openapi.json", "--header",
             f"Authorization: Bearer {roles.token}", "--checks", "all", "--no-color", "--seed", os.environ.get("SCHEMATHESIS_SEED", "1")],
            cwd=folder, capture_output=True, text=True, timeout=560)
        assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
        assert roles.processes["api"].poll() is None, roles.log("api")
        assert request("GET", roles.api + "/ready")[0] == 200
    finally:
        roles.stop()


def test_on_sqlite(schemathesis, tmp_path):
    run_all(schemathesis, tmp_path)


def test_on_postgres(schemathesis, tmp_path, postgres):  # noqa: F811
    run_all(schemathesis, tmp_path, DATABASE_URL=postgres.database())
