#!/usr/bin/env python3
"""Turns docs/api/openapi.yaml and docs/api/resources/*.yaml into what the API is built from.

usage: openapi.py OPENAPI.yaml OUT_DIR SOURCE.c ...

OUT_DIR/openapi.json   the whole description as one document: all references point into components
OUT_DIR/routes.c       the router's list, and for each operation what the dispatcher checks
OUT_DIR/handlers.h     the prototype of each operation's handler, rlx_api_<operationId>

An operation without a handler among the sources, or a handler without an operation, ends the build; so does a keyword of
JSON Schema in a request that the validator does not know (SCHEMA_KEYS), for then the description would promise more than
is checked. docs/internals/http.md says how to add a route.
"""
import json
import pathlib
import re
import sys

import yaml

VERBS = ("get", "post", "put", "patch", "delete")
KINDS = ("schemas", "parameters", "responses")
NO_HANDLER = {"page", "docs", "docs_file", "before", "after"}  # hooks, and handlers of pages, which are no API
SCOPES_OF_VERB = {"get": "read", "post": "write", "put": "write", "patch": "write", "delete": "write"}
RATES = ("none", "read", "write", "auth", "heavy")

# ---- one document -------------------------------------------------------------------------------------------------


class Problem(Exception):
    pass


def load(path):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), loader) or {}
    except yaml.YAMLError as error:
        raise Problem(f"{path}: {error}") from None


def moved(node, where):
    """A copy whose references point into the one document."""
    if isinstance(node, list):
        return [moved(item, where) for item in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if key == "$ref" and isinstance(value, str):
            pointer = value.partition("#")[2].strip("/").split("/")
            pointer = pointer[1:] if pointer[0] == "components" else pointer
            if len(pointer) != 2 or pointer[0] not in KINDS:
                raise Problem(f"{where}: {value} is no reference to one of {', '.join(KINDS)}")
            out[key] = "#/components/" + "/".join(pointer)
        else:
            out[key] = moved(value, where)
    return out


def bundle(main):
    """The main file with the paths and the components of each resource's file in it."""
    doc = load(main)
    files = {}
    components = doc.setdefault("components", {})
    for kind in KINDS:
        components[kind] = moved(components.get(kind, {}), main)
    for path in sorted((main.parent / "resources").glob("*.yaml")):
        files[path.name] = load(path)
        for kind in KINDS:
            for name, item in files[path.name].get(kind, {}).items():
                if name in components[kind]:
                    raise Problem(f"{path}: {kind}/{name} exists already")
                components[kind][name] = moved(item, path)
    paths = {}
    for route, item in doc["paths"].items():
        file, _, pointer = item.get("$ref", "").partition("#/paths/")
        file = file.rpartition("/")[2]
        if pointer.replace("~1", "/").replace("~0", "~") != route or route not in files.get(file, {}).get("paths", {}):
            raise Problem(f"{main}: {route} must refer to itself in a file of resources/ that holds it")
        paths[route] = moved(files[file]["paths"].pop(route), file)
    for name, file in files.items():
        for route in file.get("paths", {}):
            raise Problem(f"{main.parent}/resources/{name}: {route} is not listed in {main.name}")
    doc["paths"] = paths
    return doc


def resolve(doc, node):
    """Follows references; what stands beside one overrides it."""
    while isinstance(node, dict) and "$ref" in node:
        target = doc
        for part in node["$ref"][2:].split("/"):
            if part not in target:
                raise Problem(f"{node['$ref']} does not exist")
            target = target[part]
        node = {**target, **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def operations(doc):
    for route, item in doc["paths"].items():
        for verb in VERBS:
            if verb in item:
                yield route, verb, item[verb], item.get("parameters", [])


def complete(doc):
    """Adds the answers that the dispatcher may give to any operation, so that no file need repeat them."""
    error = {"$ref": "#/components/responses/Error"}
    for route, verb, op, shared in operations(doc):
        answers = op.setdefault("responses", {})
        for status in ("400", "413", "503"):
            answers.setdefault(status, error)
        answers.setdefault("422", {"$ref": "#/components/responses/Invalid"})
        if op.get("x-rate") != "none":
            answers.setdefault("429", {"$ref": "#/components/responses/Wait"})
        if op.get("security", True):
            answers.setdefault("401", error)
            answers.setdefault("403", error)
        if op.get("x-ticket"):
            op["security"] = doc["security"] + [{"ticket": []}]
        if "{" in route:
            answers.setdefault("404", error)
        if "requestBody" in op:
            answers.setdefault("415", error)
        if shared:
            op["parameters"] = shared + op.get("parameters", [])
        op["responses"] = {status: answers[status] for status in sorted(answers)}
    for item in doc["paths"].values():
        item.pop("parameters", None)


# ---- schemas as C tables ------------------------------------------------------------------------------------------

SCHEMA_KEYS = {
    "type", "format", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "items", "minItems", "maxItems", "properties", "required", "additionalProperties", "anyOf", "oneOf",
    "minProperties", "maxProperties",
}
SILENT_KEYS = {"description", "title", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "x-max-bytes",
               "x-message", "contentMediaType"}
TYPES = {"null": "RLX_T_NULL", "boolean": "RLX_T_BOOL", "integer": "RLX_T_INT", "number": "RLX_T_NUMBER",
         "string": "RLX_T_STRING", "array": "RLX_T_ARRAY", "object": "RLX_T_OBJECT"}
FORMATS = {"uuid": "RLX_FORMAT_UUID", "email": "RLX_FORMAT_EMAIL", "date-time": "RLX_FORMAT_DATE_TIME",
           "date": "RLX_FORMAT_DATE", "uri": "RLX_FORMAT_URI", "binary": "RLX_FORMAT_BINARY"}
# White space is not the same everywhere: ECMAScript counts U+FEFF to it, others the control characters; here all of them are.
NOT_BLANK = r"[^\s\u001c-\u001f\u0085\ufeff]"
IGNORED_FORMATS = {"int32", "int64", "double", "float", "password"}


def c_text(text):
    data = "".join(chr(b) if 32 <= b < 127 and b not in (34, 92, 63) else f"\\{b:03o}" for b in str(text).encode())
    return f'"{data}"'


def posix(pattern, where):
    """A pattern in the part of the syntax that ECMAScript and POSIX ERE share, \\S, \\d and \\w aside."""
    if re.search(r"\(\?|\\[^.+*?()\[\]{}|^$\\/\-dwsS]|\*\?|\+\?", pattern):
        raise Problem(f"{where}: the pattern {pattern} uses syntax that POSIX does not have")
    classes = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
    out, depth = "", 0
    for piece in re.findall(r"\\.|[^\\]", pattern):
        depth += (piece == "[") - (piece == "]")
        if piece in classes:
            out += classes[piece] if depth else f"[{classes[piece]}]"
        elif piece in (r"\s", r"\S"):
            out += "[:space:]" if depth else "[[:space:]]" if piece == r"\s" else "[^[:space:]]"
        elif depth and piece[0] == "\\":
            if piece[1] not in ".+*?(){}|$/":
                raise Problem(f"{where}: the pattern {pattern} escapes {piece[1]} within a class")
            out += piece[1]
        else:
            out += piece[1] if piece == r"\/" else piece
    return out


class Tables:
    """Writes each schema once as a static table, under its component's name where it has one."""

    def __init__(self, doc):
        self.doc, self.lines, self.ahead, self.names, self.count = doc, [], [], {}, 0

    def fresh(self, kind):
        self.count += 1
        return f"{kind}_{self.count}"

    def flat(self, schema, where):
        schema = resolve(self.doc, schema)
        if "allOf" not in schema:
            return schema
        out = {k: v for k, v in schema.items() if k != "allOf"}
        properties, required = dict(out.get("properties", {})), list(out.get("required", []))
        for part in schema["allOf"]:
            part = self.flat(part, where)
            properties = {**part.get("properties", {}), **properties}
            required += part.get("required", [])
            out = {**part, **out}
        return {**out, "properties": properties, "required": required}

    def add(self, schema, where):
        """The address of a schema's table as a C expression."""
        ref = schema.get("$ref") if set(schema) <= {"$ref", "description"} else None
        if ref and ref in self.names:
            return "&" + self.names[ref]
        name = "schema_" + ref.rpartition("/")[2] if ref else self.fresh("schema")
        if ref:
            self.names[ref] = name
        self.ahead.append(f"static const struct rlx_schema {name};")
        fields = self.fields(self.flat(schema, where), where)
        self.lines.append(f"static const struct rlx_schema {name} = {{{', '.join(fields)}}};")
        return "&" + name

    def fields(self, schema, where):
        unknown = set(schema) - SCHEMA_KEYS - SILENT_KEYS
        if unknown:
            raise Problem(f"{where}: the validator does not know {', '.join(sorted(unknown))}")
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else list(types)
        fields = []
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if values is not None:
            types = types or sorted({"null" if v is None else "boolean" if isinstance(v, bool) else "string" for v in values})
            fields += self.values(values, where)
        if not types and ("properties" in schema or "required" in schema):
            types = ["object"]
        if types:
            fields.append(".types = " + " | ".join(TYPES[t] for t in types))
        self.numbers(schema, fields)
        if schema.get("format") in FORMATS:
            fields.append(f".format = {FORMATS[schema['format']]}")
        elif schema.get("format", "int32") not in IGNORED_FORMATS:
            raise Problem(f"{where}: the validator does not know the format {schema['format']}")
        self.text(schema, fields, where)
        self.parts(schema, fields, where)
        return fields

    def values(self, values, where):
        texts = [v for v in values if v is not None]
        if any(not isinstance(v, str) for v in texts):
            raise Problem(f"{where}: values to choose from must be strings")
        name = self.fresh("values")
        listed = ", ".join([c_text(v) for v in texts] + ["NULL"])
        self.lines.append(f"static const char *const {name}[] = {{{listed}}};")
        return [f".one_of = {name}"]

    @staticmethod
    def numbers(schema, fields):
        for key, name, extra in (("minimum", "min", ""), ("exclusiveMinimum", "min", ".over_min = true"),
                                 ("maximum", "max", ""), ("exclusiveMaximum", "max", ".under_max = true")):
            if key in schema:
                fields.append(f".has_{name} = true, .{name} = {float(schema[key])!r}")
                if extra:
                    fields.append(extra)
        for low, high in (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")):
            if schema.get(low):
                fields.append(f".min_size = {schema[low]}")
            if high in schema:
                fields.append(f".has_max_size = true, .max_size = {schema[high]}")
        if "x-max-bytes" in schema:
            fields.append(f".max_bytes = {schema['x-max-bytes']}")

    def text(self, schema, fields, where):
        pattern = schema.get("pattern")
        if pattern == r"\S":
            raise Problem(f"{where}: what is white space depends on the language; for text that must not be blank write the pattern {NOT_BLANK}")
        if pattern == NOT_BLANK:
            fields.append(".not_blank = true")
        elif pattern is not None:
            name = self.fresh("pattern")
            self.lines.append(f"static struct rlx_pattern {name} = {{.text = {c_text(posix(pattern, where))}, "
                              f".shown = {c_text(pattern)}}};")
            fields.append(f".pattern = &{name}")
        if "x-message" in schema:
            fields.append(f".message = {c_text(schema['x-message'])}")

    def parts(self, schema, fields, where):
        if "items" in schema:
            fields.append(f".items = {self.add(schema['items'], where)}")
        if schema.get("properties"):
            rows = [f"    {{{c_text(key)}, {'true' if key in schema.get('required', []) else 'false'}, "
                    f"{self.add(value, f'{where}.{key}')}}}," for key, value in schema["properties"].items()]
            name = self.fresh("properties")
            self.lines += [f"static const struct rlx_property {name}[] = {{", *rows, "};"]
            fields.append(f".properties = {name}, .property_count = {len(rows)}")
        missing = set(schema.get("required", [])) - set(schema.get("properties", {}))
        if missing:
            raise Problem(f"{where}: {', '.join(sorted(missing))} is required but not described")
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and more:
            fields.append(f".additional = {self.add(more, where)}")
        elif more is False:
            fields.append(".unknown = RLX_UNKNOWN_REFUSE")
        elif more is not None or not schema.get("properties"):
            fields.append(".unknown = RLX_UNKNOWN_KEEP")
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            rows = ", ".join([self.add(choice, where) for choice in choices] + ["NULL"])
            name = self.fresh("choices")
            self.lines.append(f"static const struct rlx_schema *const {name}[] = {{{rows}}};")
            fields.append(f".any = {name}")


# ---- operations as C tables ---------------------------------------------------------------------------------------

MEDIA = {"application/json": "RLX_MEDIA_JSON", "multipart/form-data": "RLX_MEDIA_FORM", "text/csv": "RLX_MEDIA_CSV"}


def parameters_of(tables, op, where):
    rows = []
    for parameter in op.get("parameters", []):
        parameter = resolve(tables.doc, parameter)
        place = parameter["in"]
        if place not in ("path", "query", "header"):
            raise Problem(f"{where}: a parameter in {place} is not supported")
        rows.append(f"    {{{c_text(parameter['name'])}, RLX_IN_{place.upper()}, "
                    f"{'true' if parameter.get('required') else 'false'}, "
                    f"{tables.add(parameter['schema'], where + '.' + parameter['name'])}}},")
    if not rows:
        return []
    name = tables.fresh("parameters")
    tables.lines += [f"static const struct rlx_parameter {name}[] = {{", *rows, "};"]
    return [f".parameters = {name}, .parameter_count = {len(rows)}"]


def body_of(tables, op, where):
    body = resolve(tables.doc, op.get("requestBody", {}))
    media = body.get("content", {})
    if not media:
        return []
    unknown = set(media) - set(MEDIA)
    if unknown:
        raise Problem(f"{where}: a body of {', '.join(unknown)} is not supported")
    fields = [".media = " + " | ".join(MEDIA[m] for m in media)]
    if body.get("required"):
        fields.append(".body_required = true")
    for kind, name in (("application/json", "body"), ("multipart/form-data", "form")):
        if kind in media:
            fields.append(f".{name} = {tables.add(media[kind]['schema'], where)}")
    return fields


def operation_row(tables, route, verb, op):
    where = op["operationId"]
    public = op.get("security") == []
    scope = op.get("x-scope", f"{op['tags'][0]}:{SCOPES_OF_VERB[verb]}")
    rate = op.get("x-rate", SCOPES_OF_VERB[verb])
    if rate not in RATES:
        raise Problem(f"{where}: x-rate must be one of {', '.join(RATES)}")
    fields = [f".id = {c_text(where)}", f".handler = rlx_api_{where}", f".rate = RLX_RATE_{rate.upper()}"]
    if not public:
        fields.append(f".scope = {c_text(scope)}")
    if op.get("x-ticket"):
        fields.append(".ticket = true")
    fields += parameters_of(tables, op, where) + body_of(tables, op, where)
    return "    {" + ", ".join(fields) + "},"


def order(entry):
    """Literal segments before parameters, so that /calls/outbound is not taken for the call "outbound"."""
    route, verb = entry[:2]
    return [(part.startswith("{"), part) for part in route.split("/")], verb


def c_bytes(name, data):
    rows = [", ".join(str(b) for b in data[i:i + 24]) + "," for i in range(0, len(data), 24)]
    return [f"const unsigned char {name}[] = {{", *rows, "};", f"const size_t {name}_length = sizeof {name};"]


def routes_c(doc, text):
    tables, rows, routes = Tables(doc), [], []
    for route, verb, op, _ in sorted(operations(doc), key=order):
        rows.append(operation_row(tables, route, verb, op))
        routes.append(f"    {{{c_text(verb.upper())}, {c_text(route)}, rlx_dispatch, "
                      f"{int(op.get('x-max-body', 0))}}},")
    return "\n".join([
        "/* Made by src/api/openapi.py. */", '#include "api/dispatch.h"', '#include "api/private.h"', "",
        *tables.ahead, "", *tables.lines, "", "const struct rlx_operation rlx_api_operations[] = {", *rows, "};", "",
        "const struct rlx_route rlx_api_routes[] = {", *routes, "};",
        f"const size_t rlx_api_route_count = {len(routes)};", "", *c_bytes("rlx_asset_openapi", text.encode()), ""])


def handlers_h(doc):
    names = sorted(op["operationId"] for _, _, op, _ in operations(doc))
    return "\n".join(["/* Made by src/api/openapi.py: a handler for each operation of docs/api. */",
                      "#ifndef RLX_API_HANDLERS_H", "#define RLX_API_HANDLERS_H", "", '#include "base/httpd.h"', "",
                      *(f"rlx_handler_h rlx_api_{name};" for name in names), "", "#endif", ""])


# ---- the whole ----------------------------------------------------------------------------------------------------


def check_handlers(doc, sources):
    described = {}
    for route, verb, op, _ in operations(doc):
        name = op.get("operationId", "")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in described:
            raise Problem(f"{verb.upper()} {route} needs an operationId of its own in lower case, not {name!r}")
        described[name] = f"{verb.upper()} {route}"
    defined = {}
    for source in sources:
        text = source.read_text(encoding="utf-8")
        for name in re.findall(r"^void rlx_api_(\w+)\(struct rlx_request \*req,\s*void \*arg\)", text, re.M):
            defined[name] = source
    problems = [f"{described[name]} is described but has no handler: write void rlx_api_{name}(struct rlx_request *req, "
                "void *arg) in a source that src/api/CMakeLists.txt lists" for name in described if name not in defined]
    problems += [f"{defined[name]}: rlx_api_{name} handles no operation: describe it in docs/api/resources, or make it static"
                 for name in defined if name not in described and name not in NO_HANDLER]
    if problems:
        raise Problem("\n".join(problems))


def write(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    description, out, *sources = map(pathlib.Path, sys.argv[1:])
    try:
        doc = bundle(description)
        check_handlers(doc, sources)
        complete(doc)
        text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"), default=str)
        out.mkdir(parents=True, exist_ok=True)
        write(out / "openapi.json", text)
        write(out / "routes.c", routes_c(doc, text))
        write(out / "handlers.h", handlers_h(doc))
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)


main()
