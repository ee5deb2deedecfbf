#!/usr/bin/env python3
"""Embeds the API's description and the page into C, and holds the description against the router.

usage: assets.py openapi.yaml index.html api.c OUT.c

A route of api.c that the description lacks, or the reverse, ends the build. Pages are no API and need no description.
"""
import json
import pathlib
import re
import sys

import yaml

PAGES = {"/", "/app", "/app/*", "/docs"}


def routes_of_source(text):
    found = re.findall(r'\{"([A-Z]+)", "([^"]+)", rlx_api_', text)
    return {(method, path) for method, path in found if path not in PAGES}


def routes_of_description(doc):
    verbs = {"get", "post", "put", "delete", "patch"}
    return {(m.upper(), path) for path, item in doc["paths"].items() for m in item if m in verbs}


def c_bytes(name, data):
    lines = [f"const unsigned char {name}[] = {{"]
    data = data + b"\0"  # so that text functions may look at it; not counted
    for i in range(0, len(data), 20):
        lines.append("    " + ", ".join(str(b) for b in data[i:i + 20]) + ",")
    lines += ["};", f"const size_t {name}_length = sizeof {name} - 1;", ""]
    return "\n".join(lines)


def main():
    description, page, source, out = map(pathlib.Path, sys.argv[1:5])
    doc = yaml.safe_load(description.read_text(encoding="utf-8"))
    in_source = routes_of_source(source.read_text(encoding="utf-8"))
    in_doc = routes_of_description(doc)
    for method, path in sorted(in_source - in_doc):
        print(f"{description}: {method} {path} is served but not described", file=sys.stderr)
    for method, path in sorted(in_doc - in_source):
        print(f"{description}: {method} {path} is described but not served", file=sys.stderr)
    if in_source != in_doc:
        sys.exit(1)
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"), default=str)
    pathlib.Path(out).write_text(
        "/* Made by src/api/assets.py. */\n#include <stddef.h>\n#include \"api/private.h\"\n\n"
        + c_bytes("rlx_asset_openapi", text.encode())
        + c_bytes("rlx_asset_page", page.read_bytes()), encoding="utf-8")


main()
