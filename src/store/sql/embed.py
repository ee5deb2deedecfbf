#!/usr/bin/env python3
"""Embeds the named queries and the migrations of this folder into C, once for each dialect.

usage: embed.py OUT.h OUT.c   (reads *.sql and migrations/{sqlite,postgres}/NNNN_name.sql beside this file)

A query file holds blocks that begin with "-- name: query_name"; "-- part: part_name" begins a text that queries of any
file take in by {{part_name}}. "-- name: query_name (sqlite)" and "-- name: query_name (postgres)" are two texts of one
query; parts likewise. Comments outside of blocks are free. Macros ({{time:c.created_at}}, …) are in MACROS below and
explained in docs/internals/store.md; they may stand inside of each other. ?1 becomes $1 for PostgreSQL.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
HEADER = re.compile(r"^-- (name|part): ([a-z][a-z0-9_]*)(?: \((sqlite|postgres)\))?\s*$")
DIALECTS = ("sqlite", "postgres")
UTC = "to_char(({0}) AT TIME ZONE 'UTC', '{1}')"


def fail(text):
    sys.exit(f"embed.py: {text}")


def source(text):
    """What a JSON field is taken from: a parameter needs its type."""
    return text + "::json" if re.fullmatch(r"\?\d+", text) else text


def field(cast):
    return lambda o, f: f"({source(o)} ->> '{f}'){cast}"


def extract(o, f):
    return f"json_extract({o}, '$.{f}')"


# name: (SQLite, PostgreSQL), each a text or a function of the arguments that stand after the colon, parted by ";".
MACROS = {
    # values that go into JSON
    "object": ("json_object", "json_build_object"),
    "array": ("json_array", "json_build_array"),
    "time": (lambda x: x, lambda x: UTC.format(x, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
    "day": (lambda x: f"substr({x}, 1, 10)", lambda x: UTC.format(x, "YYYY-MM-DD")),
    "hour": (lambda x: f"substr({x}, 1, 13) || ':00:00.000Z'",
             lambda x: UTC.format(x, 'YYYY-MM-DD"T"HH24:00:00.000"Z"')),
    "bool": (lambda x: f"json(CASE WHEN {x} THEN 'true' ELSE 'false' END)",
             lambda x: f"COALESCE({x}, FALSE)"),
    "json": (lambda x: f"json({x})", lambda x: f"({x})::json"),
    "real": (lambda x: f"json(CASE WHEN ({x}) IS NOT NULL THEN rtrim(rtrim(printf('%.9f', {x}), '0'), '.') END)",
             lambda x: f"trim_scale(round(({x})::numeric, 9))"),
    "array_agg": (lambda x: f"json_group_array(json({x}))", lambda x: f"COALESCE(json_agg({x}), '[]'::json)"),
    "merge": (lambda a, b: f"json(substr({a}, 1, length({a}) - 1) || ',' || substr({b}, 2))",
              lambda a, b: f"(left(({a})::text, -1) || ',' || substr(({b})::text, 2))::json"),
    "patch": (lambda a, b: f"json_patch({a}, {b})",
              lambda a, b: f"(SELECT COALESCE(json_object_agg(k, v ORDER BY n), '{{}}'::json) FROM ("
                           f"SELECT a.key AS k, COALESCE(b.value, a.value) AS v, a.n FROM json_each({a}) "
                           f"WITH ORDINALITY AS a (key, value, n) LEFT JOIN json_each({b}) AS b ON b.key = a.key "
                           f"UNION ALL SELECT b.key, b.value, 1000000 + b.n FROM json_each({b}) "
                           f"WITH ORDINALITY AS b (key, value, n) WHERE NOT EXISTS "
                           f"(SELECT 1 FROM json_each({a}) AS a WHERE a.key = b.key)) AS patched)"),
    # fields of a JSON object, a column or a parameter
    "field": (extract, field("")),
    "field_int": (extract, lambda o, f: f"trunc(({source(o)} ->> '{f}')::numeric)::bigint"),
    "field_real": (extract, field("::double precision")),
    "field_bool": (extract, field("::boolean")),
    "field_uuid": (extract, field("::uuid")),
    "field_time": (extract, field("::timestamptz")),
    "field_json": (extract, field("::json")),
    "has": (lambda o, f: f"(json_type({o}, '$.{f}') IS NOT NULL)", lambda o, f: f"({source(o)} -> '{f}' IS NOT NULL)"),
    "elements": (lambda x: f"(SELECT value FROM json_each({x}))",
                 lambda x: f"(SELECT json_array_elements_text({source(x)}))"),
    # parameters whose type PostgreSQL can't see from where they stand
    "uuid": (lambda x: x, lambda x: f"{x}::uuid"),
    "text": (lambda x: x, lambda x: f"{x}::text"),
    "int": (lambda x: x, lambda x: f"{x}::bigint"),
    "timestamp": (lambda x: x, lambda x: f"{x}::timestamptz"),
    # the rest
    "now": ("strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", "now()"),
    "before": (lambda c, p: f"{c} < COALESCE({p}, '~')",
               lambda c, p: f"{c} < COALESCE({p}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"),
    "after": (lambda c, p: f"{c} > COALESCE({p}, '')",
              lambda c, p: f"{c} > COALESCE({p}::uuid, '00000000-0000-0000-0000-000000000000')"),
    "greatest": ("max", "greatest"),
    "least": ("min", "least"),
    "like": ("LIKE", "ILIKE"),
    "for_update": (lambda *t: "", lambda *t: "FOR UPDATE" + (f" OF {t[0]}" if t else "")),
    "skip_locked": (lambda *t: "", lambda *t: "FOR UPDATE" + (f" OF {t[0]}" if t else "") + " SKIP LOCKED"),
}


def blocks(dialect):
    """All texts of one dialect: {"name": {…}, "part": {…}}; every block has a text in each dialect or one for both."""
    found = {"name": {}, "part": {}}
    for path in sorted(HERE.glob("*.sql")):
        target = None
        for line in path.read_text(encoding="utf-8").splitlines():
            match = HEADER.match(line)
            if match:
                kind, name, only = match.groups()
                texts = found[kind].setdefault(name, {})
                if (only or "both") in texts or (texts and (only is None or "both" in texts)):
                    fail(f"{path.name}: {name} is there twice")
                texts[only or "both"] = target = []
            elif target is not None and not line.startswith("-- "):
                target.append(line)
    for kind, table in found.items():
        for name, texts in table.items():
            text = texts.get("both") or texts.get(dialect)
            if text is None:
                fail(f"{name} has no text for {dialect}: write a block \"-- {kind}: {name} ({dialect})\"")
            table[name] = "\n".join(text).strip()
    return found["name"], found["part"]


def macro(name, text, dialect):
    word, colon, rest = text.partition(":")
    if word not in MACROS:
        fail(f"{name}: there is no part and no macro {word}")
    value = MACROS[word][DIALECTS.index(dialect)]
    if isinstance(value, str):
        if colon:
            fail(f"{name}: {{{{{word}}}}} takes no argument")
        return value
    try:
        return value(*([a.strip() for a in rest.split(";")] if colon else []))
    except TypeError:
        fail(f"{name}: {{{{{text}}}}} has not the number of arguments that {word} takes")


def expand(name, text, parts, dialect):
    inner = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.S)
    for _ in range(1000):
        match = inner.search(text)
        if not match:
            break
        found = match[1]
        new = parts[found] if found in parts else macro(name, found, dialect)
        text = text[:match.start()] + new + text[match.end():]
    else:
        fail(f"{name}: parts take each other in without end")
    text = re.sub(r"[ \t]+\n", "\n", text).strip()
    return re.sub(r"\?(\d+)", r"$\1", text) if dialect == "postgres" else text


def c_string(text):
    lines = []
    for line in text.split("\n"):
        line = line.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'    "{line}\\n"')
    return "\n".join(lines)


def migrations(dialect):
    found = []
    for number, path in enumerate(sorted((HERE / "migrations" / dialect).glob("*.sql")), start=1):
        match = re.match(r"^(\d{4})_([a-z0-9_]+)\.sql$", path.name)
        if not match or int(match[1]) != number:
            fail(f"migrations/{dialect}/{path.name}: expected {number:04d}_name.sql")
        found.append((number, match[2], path.read_text(encoding="utf-8").strip()))
    return found


def header(names):
    return ["/* Made by src/store/sql/embed.py. */", "#ifndef RLX_STORE_QUERIES_H",
            "#define RLX_STORE_QUERIES_H", "", "enum rlx_query {",
            *(f"    RLX_Q_{name.upper()}," for name in names),
            "    RLX_Q_COUNT", "};", "", "struct rlx_migration {", "    int version;",
            "    const char *name, *sql;", "};", "",
            "extern const char *const rlx_query_names[RLX_Q_COUNT];",
            *(f"extern const char *const rlx_queries_{d}[RLX_Q_COUNT];" for d in DIALECTS),
            "/* These end with version 0. */",
            *(f"extern const struct rlx_migration rlx_migrations_{d}[];" for d in DIALECTS), "",
            "#endif", ""]


def main():
    texts = {d: blocks(d) for d in DIALECTS}
    names = sorted(texts["sqlite"][0])
    out = ["/* Made by src/store/sql/embed.py. */", '#include "store_queries.h"', "",
           "#include <stddef.h>", "", "const char *const rlx_query_names[RLX_Q_COUNT] = {",
           *(f'    "{name}",' for name in names), "};"]
    for dialect, (queries, parts) in texts.items():
        out += ["", f"const char *const rlx_queries_{dialect}[RLX_Q_COUNT] = {{"]
        for name in names:
            out.append(f"    /* {name} */\n{c_string(expand(name, queries[name], parts, dialect))},")
        out.append("};")
    steps = {d: migrations(d) for d in DIALECTS}
    if [s[:2] for s in steps["sqlite"]] != [s[:2] for s in steps["postgres"]]:
        fail("the migrations of both dialects must have the same numbers and names")
    for dialect in DIALECTS:
        out += ["", f"const struct rlx_migration rlx_migrations_{dialect}[] = {{"]
        out += [f'    {{{number}, "{name}",\n{c_string(text)}}},' for number, name, text in steps[dialect]]
        out += ["    {0, NULL, NULL},", "};"]
    for path, lines in ((sys.argv[1], header(names)), (sys.argv[2], [*out, ""])):
        text = "\n".join(lines)
        path = pathlib.Path(path)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


main()
