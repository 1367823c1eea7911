"""Compares an OpenAPI document with released ones, and says what would break a client of theirs.

    compare.py DOCUMENT FOLDER_OF_RELEASED

The rules stand in docs/compatibility.md; each has a test in test_compare.py.
"""

import json
import sys
from pathlib import Path

METHODS = ("get", "put", "post", "patch", "delete")

# What narrows a value: `max…` when it falls or appears, `min…` when it rises or appears.
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


class Comparison:
    def __init__(self, old, new):
        self.old, self.new = old, new
        self.found = []
        self.seen = set()

    def breaks(self, rule, place, what):
        self.found.append(f"{rule}: {place}: {what}")

    # --- operations ---------------------------------------------------------------------------------

    def run(self):
        for path, old_item in self.old.get("paths", {}).items():
            new_item = self.new.get("paths", {}).get(path)
            if new_item is None:
                self.breaks("path-removed", path, "is gone")
                continue
            for method in METHODS:
                if method in old_item:
                    self.operation(f"{method.upper()} {path}", old_item[method], new_item.get(method))
        return self.found

    def operation(self, place, old, new):
        if new is None:
            self.breaks("operation-removed", place, "is gone")
            return
        if old.get("operationId") != new.get("operationId"):
            self.breaks("operation-renamed", place, f"{old.get('operationId')} is now {new.get('operationId')}")
        self.security(place, old, new)
        self.parameters(place, old, new)
        self.body(place, old.get("requestBody"), new.get("requestBody"))
        self.responses(place, old["responses"], new["responses"])

    def security(self, place, old, new):
        def ways(operation, document):
            needs = operation.get("security", document.get("security", []))
            return [{}] if needs == [] else needs

        for way in ways(old, self.old):
            if way not in ways(new, self.new):
                who = "without credentials" if way == {} else "by " + ", ".join(way)
                self.breaks("security-narrowed", place, f"cannot be called {who} any more")

    def parameters(self, place, old, new):
        def of(operation, document):
            listed = (self.resolve(parameter, document) for parameter in operation.get("parameters", []))
            return {(parameter["in"], parameter["name"]): parameter for parameter in listed}

        before, after = of(old, self.old), of(new, self.new)
        for key, parameter in before.items():
            at = f"{place} {key[0]} {key[1]}"
            if key not in after:
                self.breaks("parameter-removed", at, "is gone, so that sending it is refused")
                continue
            if after[key].get("required") and not parameter.get("required"):
                self.breaks("parameter-required", at, "is needed now")
            shape = ("style", "explode")
            if any(parameter.get(name) != after[key].get(name) for name in shape):
                self.breaks("parameter-style", at, "is written in another way")
            self.sent(at, parameter.get("schema", {}), after[key].get("schema", {}))
        for key, parameter in after.items():
            if key not in before and parameter.get("required"):
                self.breaks("parameter-required", f"{place} {key[0]} {key[1]}", "is new and needed")

    def body(self, place, old, new):
        old, new = self.resolve(old or {}, self.old), self.resolve(new or {}, self.new)
        if new.get("required") and not old.get("required"):
            self.breaks("body-required", place, "a body is needed now")
        for media_type, content in old.get("content", {}).items():
            if media_type not in new.get("content", {}):
                self.breaks("media-type-removed", place, f"{media_type} is not taken any more")
                continue
            self.sent(f"{place} body", content.get("schema", {}), new["content"][media_type].get("schema", {}))

    def responses(self, place, old, new):
        for status, before in old.items():
            if status not in new:
                if status.startswith(("2", "3")):
                    self.breaks("status-removed", f"{place} {status}", "is not answered any more")
                continue
            before, after = self.resolve(before, self.old), self.resolve(new[status], self.new)
            for header in before.get("headers", {}):
                if header not in after.get("headers", {}):
                    self.breaks("header-removed", f"{place} {status}", f"{header} is gone")
            for media_type, content in before.get("content", {}).items():
                at = f"{place} {status}"
                if media_type not in after.get("content", {}):
                    self.breaks("media-type-removed", at, f"{media_type} is not answered any more")
                    continue
                self.answered(at, content.get("schema", {}), after["content"][media_type].get("schema", {}))
        for status in new:
            if status not in old and status.startswith(("2", "3")):
                self.breaks("status-added", f"{place} {status}", "is a success that no client expects")

    # --- schemas ------------------------------------------------------------------------------------

    def resolve(self, part, document):
        while "$ref" in part:
            target = document
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            part = target
        return part

    def flat(self, schema, document):
        """A schema with what `allOf` adds to it, and with `null` as one of its types."""
        schema = dict(self.resolve(schema, document))
        for part in schema.pop("allOf", []):
            part = self.flat(part, document)
            properties = {**schema.get("properties", {}), **part.get("properties", {})}
            required = [*schema.get("required", []), *part.get("required", [])]
            schema = {**part, **schema, "properties": properties, "required": required}
        choices = schema.pop("oneOf", None) or schema.pop("anyOf", None)
        if choices:
            flat = [self.flat(choice, document) for choice in choices]
            whole = [choice for choice in flat if self.types(choice) != {"null"}]
            if len(whole) == 1:
                nullable = self.types(whole[0]) | {"null"} if self.types(whole[0]) else set()
                return {**whole[0], "type": sorted(nullable)}
            schema["choices"] = sorted(json.dumps(choice, sort_keys=True) for choice in flat)
        return schema

    @staticmethod
    def types(schema):
        kind = schema.get("type", [])
        kinds = {kind} if isinstance(kind, str) else set(kind)
        return kinds | {"integer"} if "number" in kinds else kinds

    def walked(self, direction, old, new):
        """Whether this pair was looked at before in this direction: schemas may hold themselves."""
        key = (direction, json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True))
        known = key in self.seen
        self.seen.add(key)
        return known

    def sent(self, place, old, new):
        """What a client sends may be taken more freely, never more narrowly."""
        if self.walked("sent", old, new):
            return
        old, new = self.flat(old, self.old), self.flat(new, self.new)
        if self.types(new) and not self.types(old) <= self.types(new):
            self.breaks("type-changed", place, f"takes {sorted(self.types(new))}, not {sorted(self.types(old))}")
            return
        if new.get("format") not in (None, old.get("format")):
            self.breaks("format-changed", place, f"must be {new['format']}")
        if new.get("pattern") not in (None, old.get("pattern")):
            self.breaks("pattern-changed", place, f"must match {new['pattern']}")
        for value in old.get("enum", []):
            if "enum" in new and value not in new["enum"]:
                self.breaks("enum-value-removed", place, f"{value!r} is not taken any more")
        if "enum" in new and "enum" not in old:
            self.breaks("enum-value-removed", place, "takes listed values alone")
        if "choices" in old and old["choices"] != new.get("choices"):
            self.breaks("type-changed", place, "takes other kinds of things")
        for names, narrower in ((UPPER, lambda a, b: b < a), (LOWER, lambda a, b: b > a)):
            for name in names:
                if name in new and (name not in old or narrower(old[name], new[name])):
                    self.breaks("bound-narrowed", place, f"{name} is {new[name]}, was {old.get(name, 'free')}")
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in new.get("required", []):
            if name not in old.get("required", []):
                self.breaks("field-required", f"{place}/{name}", "is needed now")
        for name, field in before.items():
            if name in after:
                self.sent(f"{place}/{name}", field, after[name])
            elif new.get("additionalProperties") is False:
                self.breaks("field-removed", f"{place}/{name}", "is not taken any more")
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False and not before:
            self.breaks("field-removed", place, "takes listed fields alone")
        if "items" in old and "items" in new:
            self.sent(f"{place}/items", old["items"], new["items"])

    def answered(self, place, old, new):
        """What a client reads may gain fields, and may never lose or change one."""
        if self.walked("answered", old, new):
            return
        old, new = self.flat(old, self.old), self.flat(new, self.new)
        if self.types(old) and not self.types(new) <= self.types(old) or (self.types(old) and not self.types(new)):
            kinds = sorted(self.types(new)) or "anything"
            self.breaks("type-changed", place, f"is {kinds}, was {sorted(self.types(old))}")
            return
        if old.get("format") not in (None, new.get("format")):
            self.breaks("format-changed", place, f"was {old['format']}, is {new.get('format')}")
        if "enum" in old and not set(map(str, new.get("enum", ["anything"]))) <= set(map(str, old["enum"])):
            self.breaks("enum-value-added", place, "has values that a closed list did not have")
        if old.get("choices") != new.get("choices"):
            self.breaks("type-changed", place, "is another kind of thing")
        for name in old.get("required", []):
            if name in new.get("properties", {}) and name not in new.get("required", []):
                self.breaks("field-optional", f"{place}/{name}", "may be absent now")
        for name, field in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                self.breaks("field-removed", f"{place}/{name}", "is gone")
            else:
                self.answered(f"{place}/{name}", field, new["properties"][name])
        for inner in ("items", "additionalProperties"):
            if isinstance(old.get(inner), dict) and isinstance(new.get(inner), dict):
                self.answered(f"{place}/{inner}", old[inner], new[inner])


def compare(old, new):
    """Everything in `new` that breaks a client of `old`, one line each."""
    return Comparison(old, new).run()


def main(document, folder):
    released = sorted(Path(folder).glob("*.json"))
    if not released:
        print(f"nothing is released yet: {folder} holds no document to compare with")
        return 0
    new = json.loads(Path(document).read_text("utf-8"))
    broken = False
    for file in released:
        found = compare(json.loads(file.read_text("utf-8")), new)
        broken |= bool(found)
        print(f"{file}: {f'{len(found)} breaking changes' if found else 'nothing breaks'}")
        for line in found:
            print(f"  {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
