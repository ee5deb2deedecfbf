#!/usr/bin/env python3
"""Embeds the named queries and the migrations of this folder into C.

usage: embed.py OUT.h OUT.c   (reads *.sql and migrations/sqlite/NNNN_name.sql beside this file)

A query file holds blocks that begin with "-- name: query_name"; "-- part: part_name" begins a text that queries of any
file take in by {{part_name}}. Comments outside of blocks are free.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
HEADER = re.compile(r"^-- (name|part): ([a-z][a-z0-9_]*)\s*$")


def fail(text):
    sys.exit(f"embed.py: {text}")


def blocks():
    queries, parts = {}, {}
    for path in sorted(HERE.glob("*.sql")):
        target = None
        for line in path.read_text(encoding="utf-8").splitlines():
            match = HEADER.match(line)
            if match:
                table = queries if match[1] == "name" else parts
                if match[2] in table:
                    fail(f"{path.name}: {match[2]} is there twice")
                table[match[2]] = target = []
            elif target is not None and not line.startswith("-- "):
                target.append(line)
    return ({k: "\n".join(v).strip() for k, v in t.items()} for t in (queries, parts))


def expand(name, text, parts, depth=0):
    if depth > 8:
        fail(f"{name}: parts take each other in without end")

    def part(match):
        if match[1] not in parts:
            fail(f"{name}: no part {match[1]}")
        return expand(name, parts[match[1]], parts, depth + 1)

    return re.sub(r"\{\{([a-z0-9_]+)\}\}", part, text)


def c_string(text):
    lines = []
    for line in text.split("\n"):
        line = line.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'    "{line}\\n"')
    return "\n".join(lines)


def main():
    queries, parts = blocks()
    names = sorted(queries)
    header = ["/* Made by src/store/sql/embed.py. */", "#ifndef RLX_STORE_QUERIES_H",
              "#define RLX_STORE_QUERIES_H", "", "enum rlx_query {"]
    header += [f"    RLX_Q_{name.upper()}," for name in names]
    header += ["    RLX_Q_COUNT", "};", "", "struct rlx_migration {", "    int version;",
               "    const char *name, *sql;", "};", "",
               "extern const char *const rlx_query_names[RLX_Q_COUNT];",
               "extern const char *const rlx_query_texts[RLX_Q_COUNT];",
               "extern const struct rlx_migration rlx_migrations[]; /* ends with version 0 */", "",
               "#endif", ""]
    source = ["/* Made by src/store/sql/embed.py. */", '#include "store_queries.h"', "",
              "#include <stddef.h>", "", "const char *const rlx_query_names[RLX_Q_COUNT] = {"]
    source += [f'    "{name}",' for name in names]
    source += ["};", "", "const char *const rlx_query_texts[RLX_Q_COUNT] = {"]
    for name in names:
        source.append(f"    /* {name} */\n{c_string(expand(name, queries[name], parts))},")
    source += ["};", "", "const struct rlx_migration rlx_migrations[] = {"]
    for number, path in enumerate(sorted((HERE / "migrations" / "sqlite").glob("*.sql")), start=1):
        match = re.match(r"^(\d{4})_([a-z0-9_]+)\.sql$", path.name)
        if not match or int(match[1]) != number:
            fail(f"migrations/sqlite/{path.name}: expected {number:04d}_name.sql")
        text = c_string(path.read_text(encoding="utf-8").strip())
        source.append(f'    {{{number}, "{match[2]}",\n{text}}},')
    source += ["    {0, NULL, NULL},", "};", ""]
    for out, lines in ((sys.argv[1], header), (sys.argv[2], source)):
        text = "\n".join(lines)
        path = pathlib.Path(out)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


main()
