"""Reads awsQuery: forms that come in, XML that goes out, both by the shapes."""

import datetime
import urllib.parse
import xml.etree.ElementTree


def form(check, name, body):
    """Returns the input that a form holds, and whatever of it no shape has."""
    fields = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    used = {"Action", "Version"}
    value = _from_form(check, name, "", fields, used) if name else {}
    for key in fields.keys() - used:
        check.wrong(f"/{key}", "is not in the model")
    return value or {}


def _from_form(check, name, prefix, fields, used):
    shape = check.shapes[name]
    if shape["type"] == "structure":
        found = {}
        for member, entry in shape.get("members", {}).items():
            key = entry.get("queryName", entry.get("locationName", member))
            value = _from_form(check, entry["shape"], f"{prefix}.{key}" if prefix else key, fields, used)
            if value is not None:
                found[entry.get("locationName", member)] = value
        return found or None
    if shape["type"] == "list":
        used.add(prefix)
        items, base = [], prefix if shape.get("flattened") else f"{prefix}.{shape['member'].get('locationName', 'member')}"
        while True:
            item = _from_form(check, shape["member"]["shape"], f"{base}.{len(items) + 1}", fields, used)
            if item is None:
                return items if items or prefix in fields else None
            items.append(item)
    if prefix not in fields:
        return None
    used.add(prefix)
    return _scalar(check, shape, fields[prefix], prefix)


def answer(check, service, operation, name, wrapper, body):
    """Returns the output that an answer's XML holds."""
    root = xml.etree.ElementTree.fromstring(body)
    space = "{" + service["metadata"]["xmlNamespace"] + "}"
    if root.tag != f"{space}{operation}Response":
        check.wrong("/", f"the root is {root.tag}")
    if root.find(f"{space}ResponseMetadata/{space}RequestId") is None:
        check.wrong("/", "no ResponseMetadata/RequestId")
    result = root.find(f"{space}{wrapper}") if wrapper else None
    known = {f"{space}{wrapper}", f"{space}ResponseMetadata"}
    for child in root:
        if child.tag not in known:
            check.wrong(f"/{child.tag}", "is not in the model")
    if not name:
        return {}
    if result is None:
        check.wrong("/", f"no {wrapper}")
        return {}
    return from_xml(check, name, result, space, "")


def from_xml(check, name, node, space, path):
    """Returns what an element holds, read by its shape."""
    shape = check.shapes[name]
    if shape["type"] == "structure":
        members = {space + member.get("locationName", key): (key, member) for key, member in shape.get("members", {}).items()}
        found = {}
        for child in node:
            if child.tag not in members:
                check.wrong(f"{path}/{child.tag}", "is not in the model")
                continue
            key, member = members[child.tag]
            found[member.get("locationName", key)] = from_xml(check, member["shape"], child, space, f"{path}/{key}")
        return found
    if shape["type"] == "list":
        tag = space + shape["member"].get("locationName", "member")
        for child in node:
            if child.tag != tag:
                check.wrong(f"{path}/{child.tag}", "is not an item")
        return [from_xml(check, shape["member"]["shape"], child, space, f"{path}/{i}") for i, child in enumerate(node)]
    return _scalar(check, shape, node.text or "", path)


def error(check, service, body):
    """Returns code, kind (`Sender`, `Receiver`) and members of an error's XML."""
    root = xml.etree.ElementTree.fromstring(body)
    space = "{" + service["metadata"]["xmlNamespace"] + "}"
    node = root.find(f"{space}Error")
    if root.tag != f"{space}ErrorResponse" or node is None:
        check.wrong("/", f"the root is {root.tag}, with{'out' if node is None else ''} Error")
        return "", "", {}
    if root.find(f"{space}RequestId") is None:
        check.wrong("/", "no RequestId")
    text = {child.tag.removeprefix(space): child.text or "" for child in node}
    return text.pop("Code", ""), text.pop("Type", ""), text


def _scalar(check, shape, text, path):
    kind = shape["type"]
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("double", "float"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text]
        if kind == "timestamp":
            return datetime.datetime.fromisoformat(text)
    except (KeyError, ValueError):
        check.wrong(path, f"{text!r} is no {kind}")
    return text
