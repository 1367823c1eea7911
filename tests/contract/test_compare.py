"""Each rule of docs/compatibility.md fires, and what is compatible passes."""

import copy
import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from compare import compare  # noqa: E402

ROOT = Path(__file__).parent.parent.parent

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/things": {
            "get": {
                "operationId": "list_things",
                "security": [{}, {"bearer": []}],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["name", "date"]}},
                    {"name": "tag", "in": "query", "style": "form", "explode": False, "schema": {"type": "array"}},
                ],
                "responses": {
                    "200": {
                        "headers": {"ETag": {}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "304": {},
                    "404": {},
                },
            },
            "post": {
                "operationId": "create_thing",
                "security": [{"bearer": []}],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}},
                },
                "responses": {"201": {"content": {"application/json": {"schema": {"type": "object"}}}}},
            },
        },
        "/gone": {"get": {"operationId": "get_gone", "responses": {"200": {}}}},
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "integer", "format": "int64"},
                    "name": {"type": "string"},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "parent": {"oneOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                },
            },
            "Part": {"type": "object", "properties": {"size": {"type": "integer"}}},
            "NewThing": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": ["string", "null"], "maxLength": 100},
                    "note": {"type": "string"},
                },
            },
        }
    },
}

GET, POST = ("paths", "/things", "get"), ("paths", "/things", "post")
PARAMETERS, OK = (*GET, "parameters"), (*GET, "responses", "200")
THING, NEW = ("components", "schemas", "Thing"), ("components", "schemas", "NewThing")
FIELDS, NEW_FIELDS = (*THING, "properties"), (*NEW, "properties")
GONE = object()

# Rule, place, what stands there afterwards.
BREAKING = [
    ("path-removed", ("paths", "/gone"), GONE),
    ("operation-removed", POST, GONE),
    ("operation-renamed", (*GET, "operationId"), "get_things"),
    ("security-narrowed", (*GET, "security"), [{"bearer": []}]),
    ("parameter-removed", (*PARAMETERS, 0), GONE),
    ("parameter-required", (*PARAMETERS, 0, "required"), True),
    ("parameter-required", (*PARAMETERS, 3), {"name": "q", "in": "query", "required": True, "schema": {}}),
    ("parameter-style", (*PARAMETERS, 2, "explode"), True),
    ("bound-narrowed", (*PARAMETERS, 0, "schema", "maximum"), 50),
    ("bound-narrowed", (*PARAMETERS, 0, "schema", "minimum"), 2),
    ("bound-narrowed", (*NEW_FIELDS, "note", "maxLength"), 10),
    ("enum-value-removed", (*PARAMETERS, 1, "schema", "enum"), ["name"]),
    ("enum-value-removed", (*NEW_FIELDS, "note", "enum"), ["x"]),
    ("pattern-changed", (*NEW_FIELDS, "note", "pattern"), "^x"),
    ("format-changed", (*NEW_FIELDS, "note", "format"), "uuid"),
    ("type-changed", (*NEW_FIELDS, "name", "type"), "string"),
    ("field-required", (*NEW, "required"), ["name", "note"]),
    ("field-removed", (*NEW_FIELDS, "note"), GONE),
    ("body-required", (*POST, "requestBody", "required"), True),
    ("media-type-removed", (*POST, "requestBody", "content"), {"text/plain": {}}),
    ("media-type-removed", (*OK, "content"), {"text/plain": {}}),
    ("status-removed", (*GET, "responses", "304"), GONE),
    ("status-added", (*GET, "responses", "202"), {}),
    ("header-removed", (*OK, "headers"), {}),
    ("field-removed", (*FIELDS, "name"), GONE),
    ("field-removed", ("components", "schemas", "Part", "properties"), {}),
    ("field-optional", (*THING, "required"), ["id"]),
    ("type-changed", (*FIELDS, "name", "type"), ["string", "null"]),
    ("type-changed", (*FIELDS, "name", "type"), "integer"),
    ("format-changed", (*FIELDS, "id", "format"), "int32"),
    ("enum-value-added", (*FIELDS, "kind", "enum"), ["a", "b", "c"]),
]

COMPATIBLE = [
    (("paths", "/new"), {"get": {"responses": {"200": {}}}}),
    ((*GET, "description"), "Other words."),
    ((*PARAMETERS, 3), {"name": "q", "in": "query", "schema": {"type": "string"}}),
    ((*PARAMETERS, 0, "schema", "maximum"), 200),
    ((*PARAMETERS, 1, "schema", "enum"), ["name", "date", "size"]),
    ((*POST, "security"), [{}, {"bearer": []}]),
    ((*GET, "responses", "429"), {}),
    ((*GET, "responses", "404"), GONE),
    ((*FIELDS, "more"), {"type": "string"}),
    ((*THING, "required"), ["id", "name", "kind"]),
    ((*FIELDS, "kind", "enum"), ["a"]),
    ((*NEW_FIELDS, "more"), {"type": "string"}),
    ((*NEW_FIELDS, "name", "maxLength"), 200),
    ((*NEW_FIELDS, "note", "type"), ["string", "null"]),
    ((*NEW, "required"), []),
]


def changed(path, value):
    document = copy.deepcopy(DOCUMENT)
    *way, last = path
    place = document
    for step in way:
        place = place[step]
    if value is GONE:
        del place[last]
    elif isinstance(place, list):
        place.insert(last, value)
    else:
        place[last] = value
    return document


class Rules(unittest.TestCase):
    def test_each_rule_fires(self):
        for rule, path, value in BREAKING:
            with self.subTest(rule=rule, path=path):
                found = compare(DOCUMENT, changed(path, value))
                self.assertTrue(any(line.startswith(f"{rule}: ") for line in found), found)

    def test_what_only_adds_passes(self):
        for path, value in COMPATIBLE:
            with self.subTest(path=path):
                self.assertEqual(compare(DOCUMENT, changed(path, value)), [])

    def test_the_document_is_compatible_with_itself(self):
        document = json.loads((ROOT / "openapi/broadsheet.v1.json").read_text("utf-8"))
        self.assertEqual(compare(document, document), [])

    def test_every_rule_is_written_down_and_tested(self):
        source = (Path(__file__).parent / "compare.py").read_text("utf-8")
        rules = set(re.findall(r'self\.breaks\("([a-z-]+)"', source))
        self.assertEqual(rules, {rule for rule, _, _ in BREAKING})
        text = (ROOT / "docs/compatibility.md").read_text("utf-8")
        self.assertEqual(rules, set(re.findall(r"^\| `([a-z-]+)` \|", text, re.M)))


if __name__ == "__main__":
    unittest.main()
