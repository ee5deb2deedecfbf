"""The command line: help, errors that say how to mend them, the commands that need no server."""
import sqlite3

import pytest


def test_help_shows_examples_for_every_command(run):
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "demo", "call", "doctor", "migrate", "user", "phone", "api", "gateway", "worker"):
        assert f"relayx {command}" in done.stdout
    assert done.stdout.count("e.g. relayx") >= 10
    assert "--api-port" in done.stdout and "TWILIO_AUTH_TOKEN" in done.stdout


def test_help_of_one_command(run):
    done = run("call", "--help")
    assert done.returncode == 0 and "relayx call NUMBER" in done.stdout and "relayx demo" not in done.stdout


def test_version(run):
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("relayx ")


@pytest.mark.parametrize("args, env, says", [
    (["bogus"], {}, "no command"),
    (["serve", "--api-prot", "1"], {}, "--api-port"),
    (["serve"], {"RELAYX_API_PROT": "1"}, "RELAYX_API_PORT"),
    (["serve", "--api-port", "x"], {}, "0 to 65535"),
    (["serve", "--api-port"], {}, "needs a value"),
    (["call", "12025550123", "--agent", "x"], {}, "+12025550123"),
    (["user", "remove", "x"], {}, "user add"),
])
def test_mistakes_are_explained(run, args, env, says):
    done = run(*args, env=env)
    assert done.returncode == 2
    assert says in done.stderr


def test_an_env_file_is_read_and_its_mistakes_are_named(run, tmp_path):
    (tmp_path / ".env").write_text("RELAYX_DATA=elsewhere\nOPENAI_API_KEY='sk-do-not-print'\n")
    done = run("doctor", "--no-local", "--openai-base-url", "http://127.0.0.1:9/v1")
    assert "elsewhere" in done.stdout and "sk-do-not-print" not in done.stdout
    (tmp_path / ".env").write_text("RELAYX_DATE=x\n")
    done = run("doctor")
    assert done.returncode == 2 and "RELAYX_DATA" in done.stderr


def test_doctor_says_what_is_wrong_and_how_to_mend_it(run):
    done = run("doctor", "--no-local", "--openai-base-url", "http://127.0.0.1:9/v1",
               "--twilio-account-sid", "AC1", "--twilio-api-url", "http://127.0.0.1:9")
    assert done.returncode == 1
    for part in ("OPENAI_BASE_URL", "TWILIO_API_URL", "VOICE_GATEWAY_URL", "TWILIO_PHONE_NUMBER", "to mend"):
        assert part in done.stdout


def test_migrate_and_user_add(run, tmp_path):
    assert run("migrate", "--data", "d").returncode == 0
    assert "up to date" in run("migrate", "--data", "d").stdout
    done = run("user", "add", "ann@example.com", "--name", "Ann", "--data", "d", input="secret-1\n")
    assert done.returncode == 0
    with sqlite3.connect(tmp_path / "d" / "relayx.db") as db:
        row = db.execute("SELECT id, email, password_hash FROM users").fetchone()
    assert row[0] == done.stdout.strip() and row[1] == "ann@example.com"
    assert row[2].startswith("$2b$12$")
    again = run("user", "add", "ann@example.com", "--data", "d", input="secret-1\n")
    assert again.returncode == 1 and "already" in again.stderr
    assert run("user", "add", "bob@example.com", "--data", "d", input="x\n").returncode == 1
