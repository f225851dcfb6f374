#!/usr/bin/env python3
"""Writes the sandbox's tables from AWS's published service models.

    generate.py [BOTOCORE]

BOTOCORE is a directory that holds botocore's `data` folder (an unpacked wheel's `botocore`, for instance); without it the
installed botocore is asked. For each service named in `operations.txt` it writes `<service>.json`: the metadata, the
operations listed there and the shapes they reach, without documentation. Run it twice and the bytes are the same.
"""

import gzip
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent

METADATA = (
    "apiVersion", "awsQueryCompatible", "endpointPrefix", "jsonVersion", "protocol", "protocols", "serviceId",
    "signingName", "targetPrefix", "xmlNamespace",
)
SHAPE = (
    "type", "required", "payload", "flattened", "min", "max", "pattern", "enum", "sensitive", "union", "exception",
    "fault", "error", "timestampFormat",
)
MEMBER = (
    "shape", "location", "locationName", "queryName", "idempotencyToken", "flattened", "timestampFormat", "jsonvalue",
    "streaming", "xmlAttribute", "xmlNamespace",
)


def botocore():
    """Returns the directory of botocore and its version."""
    if len(sys.argv) > 1:
        root = pathlib.Path(sys.argv[1])
        for line in (root / "__init__.py").read_text().splitlines():
            if line.startswith("__version__"):
                return root, line.split("'")[1] if "'" in line else line.split('"')[1]
        sys.exit(f"{root}: no __version__ in __init__.py")
    import botocore as installed

    return pathlib.Path(installed.__file__).parent, installed.__version__


def wanted():
    """Returns operation names by service; `*` stands for all of them."""
    services = {}
    for line in (HERE / "operations.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            service, operation = line.split()
            services.setdefault(service, set()).add(operation)
    return services


def pick(source, keys):
    return {key: source[key] for key in keys if key in source}


def shape_entry(shape):
    """Keeps of a shape what the wire and the validation need. Members stay in the model's order: AWS reports by it."""
    entry = pick(shape, SHAPE)
    if "members" in shape:
        entry["members"] = {name: pick(member, MEMBER) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            entry[part] = pick(shape[part], MEMBER)
    return entry


def operation_entry(operation):
    http = operation["http"]
    entry = {"http": pick(http, ("method", "requestUri", "responseCode"))}
    if "input" in operation:
        entry["input"] = operation["input"]["shape"]
    if "output" in operation:
        entry["output"] = operation["output"]["shape"]
        if "resultWrapper" in operation["output"]:
            entry["resultWrapper"] = operation["output"]["resultWrapper"]
    entry["errors"] = sorted(error["shape"] for error in operation.get("errors", ()))
    return entry


def reachable(model, operations):
    seen = set()
    # Every error of the service is kept: an operation may answer with one that its own list leaves out.
    todo = [name for name, shape in model["shapes"].items() if shape.get("exception")]
    for operation in operations.values():
        todo += [operation[part] for part in ("input", "output") if part in operation] + operation["errors"]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = model["shapes"][name]
        todo += [member["shape"] for member in shape.get("members", {}).values()]
        todo += [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
    return seen


def lines(entries):
    """One entry per line, sorted, so that a new version of a model reads well as a diff."""
    rows = (
        f"{json.dumps(name)}:{json.dumps(entries[name], separators=(',', ':'), ensure_ascii=False)}"
        for name in sorted(entries)
    )
    return "{\n" + ",\n".join(rows) + "\n}"


def main():
    root, version = botocore()
    for service, names in sorted(wanted().items()):
        newest = sorted((root / "data" / service).iterdir())[-1]
        packed, plain = newest / "service-2.json.gz", newest / "service-2.json"
        model = json.loads(gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes())
        if "*" in names:
            names = set(model["operations"])
        if missing := names - set(model["operations"]):
            sys.exit(f"{service}: not in the model: {', '.join(sorted(missing))}")
        operations = {name: operation_entry(model["operations"][name]) for name in names}
        shapes = {name: shape_entry(model["shapes"][name]) for name in reachable(model, operations)}
        text = (
            "{\n"
            f'"botocore":{json.dumps(version)},\n'
            f'"metadata":{json.dumps(pick(model["metadata"], METADATA), separators=(",", ":"), sort_keys=True)},\n'
            f'"operations":{lines(operations)},\n'
            f'"shapes":{lines(shapes)}\n'
            "}\n"
        )
        (HERE / f"{service}.json").write_text(text)
        print(f"{service}: {len(operations)} operations, {len(shapes)} shapes, {len(text)} bytes")


if __name__ == "__main__":
    main()
