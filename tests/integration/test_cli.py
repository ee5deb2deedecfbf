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


@pytest.mark.parametrize("env, says", [
    ({"STT_PROVIDERS": "deepgram"}, 'STT_PROVIDERS names "deepgram", which is not known'),
    ({"LLM_PROVIDERS": "groq"}, "GROQ_API_KEY is not set"),
    ({"TTS_PROVIDERS": "openai"}, "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set"),
    ({"EMBED_PROVIDERS": "bogus"}, "EMBED_PROVIDERS"),
    ({"RELAYX_LOCAL": "false"}, "there is no text-to-speech provider"),
])
def test_doctor_builds_the_providers_as_the_gateway_does(run, env, says):
    done = run("doctor", env=env)
    assert done.returncode == 1 and "all is well" not in done.stdout
    assert says in done.stdout


def test_doctor_tells_of_keys_that_are_not_used(run):
    keys = ("DEEPGRAM_API_KEY", "ASSEMBLYAI_API_KEY", "FISH_AUDIO_API_KEY", "CAL_API_KEY")
    done = run("doctor", env={key: "secret-1" for key in keys})
    for key in keys:
        assert any(line.startswith("note") and key in line for line in done.stdout.splitlines())
    assert "secret-1" not in done.stdout
    assert not any(line.startswith("note") and "_API_KEY" in line for line in run("doctor").stdout.splitlines())


def test_doctor_makes_nothing(run, tmp_path):
    done = run("doctor", "--data", "a/b/c")
    assert "a/b/c" in done.stdout and not (tmp_path / "a").exists()
    assert not [line for line in done.stdout.splitlines() if line.startswith("BAD") and " data " in line]
    (tmp_path / "d").mkdir()
    run("doctor", "--data", "d")
    assert not list((tmp_path / "d").iterdir())
    (tmp_path / "file").write_text("")
    done = run("doctor", "--data", "file/below")
    assert done.returncode == 1 and "--data" in done.stdout
    assert any(line.startswith("BAD") and "file" in line for line in done.stdout.splitlines())


@pytest.mark.parametrize("flag, content, says", [
    ("--script", None, "nothing.txt can't be read"),
    ("--knowledge", None, "nothing.txt can't be read"),
    ("--agent", None, "nothing.txt can't be read"),
    ("--script", "", "is empty"),
    ("--script", "sing a song\n", "line 1"),
    ("--knowledge", "folder", "is a directory"),
    ("--knowledge", "{", "line 1"),
    ("--knowledge", "{}", '"questions"'),
    ("--knowledge", '[{"title": "x"}]', "entry 1"),
    ("--knowledge", "[]", "no entry"),
    ("--agent", "[]", "object"),
])
def test_demo_reads_its_files_before_it_starts_anything(run, tmp_path, flag, content, says):
    path = tmp_path / "nothing.txt"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    done = run("demo", "--exit", flag, path, "--data", "d", timeout=10)
    assert done.returncode == 2 and says in done.stderr and str(path) in done.stderr
    assert "starting" not in done.stdout + done.stderr and not (tmp_path / "d").exists()
    if flag == "--knowledge":
        assert '"content"' in done.stderr  # an example


def test_the_phone_lists_its_flags(run):
    done = run("phone", "--help")
    assert done.returncode == 0
    for flag in ("--port", "--callee", "--kind", "--seed", "--ring-ms", "--cps", "--insecure", "--webhook", "--api URL",
                 "--agent", "--token", "--calls", "--concurrent", "--script", "--limit"):
        assert flag in done.stdout
    done = run("phone", "serve", "--ring-ms", "soon")
    assert done.returncode == 2 and "--ring-ms" in done.stderr and '"soon"' in done.stderr and "120000" in done.stderr


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
