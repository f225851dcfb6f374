"""Checks values against AWS's published shapes, apart from botocore's own parsers and serializers."""

import datetime
import functools

import botocore.loaders
import regex

# A timestamp on the wire of JSON and CBOR is a number of seconds; these are what a sane answer can hold.
EARLIEST, LATEST = 0, 4_102_444_800  # 1970 and 2100

# What the models say is never empty, and AWS answers empty nonetheless: the AWS CLI's examples of get-parameter-history,
# get-automation-execution and update-maintenance-window-target show it.
MAY_BE_EMPTY = {
    "ParameterLabelList": [], "AutomationParameterMap": {},
    "MaintenanceWindowName": "", "MaintenanceWindowDescription": "", "OwnerInformation": "",
}


@functools.cache
def model(service):
    """Returns the newest published model of a service, as it was published."""
    return botocore.loaders.Loader().load_service_model(service, "service-2")


@functools.cache
def compiled(pattern):
    return regex.compile(pattern)


def wire_name(member, name):
    """The name that a member goes by in a body."""
    return member.get("locationName", name)


class Check:
    """One message's violations, each with the place where it is."""

    def __init__(self, service):
        self.shapes = model(service)["shapes"]
        self.found = []

    def wrong(self, path, text):
        self.found.append(f"{path or '/'}: {text}")

    def value(self, name, value, path=""):
        """Checks a value against the shape of that name."""
        shape = self.shapes[name]
        if value is None:
            return self.wrong(path, "null")
        if name in MAY_BE_EMPTY and value == MAY_BE_EMPTY[name]:
            return None
        return getattr(self, "_" + shape["type"])(shape, value, path)

    def members(self, shape, value, path, members=None, extra=()):
        """Checks an object's members: the required ones are there, and nothing else than the shape's."""
        if not isinstance(value, dict):
            return self.wrong(path, f"{type(value).__name__} instead of an object")
        members = shape.get("members", {}) if members is None else members
        by_wire = {wire_name(member, name): (name, member) for name, member in members.items()}
        for name in shape.get("required", ()):
            if name in members and wire_name(members[name], name) not in value:
                self.wrong(path, f"{name} is required and missing")
        if shape.get("union") and len(value) != 1:
            self.wrong(path, f"a union of {len(value)} members")
        for key, item in value.items():
            if key in by_wire:
                self.value(by_wire[key][1]["shape"], item, f"{path}/{key}")
            elif key not in extra:
                self.wrong(f"{path}/{key}", "is not in the model")
        return None

    def _structure(self, shape, value, path):
        self.members(shape, value, path)

    def _list(self, shape, value, path):
        if not isinstance(value, list):
            return self.wrong(path, f"{type(value).__name__} instead of a list")
        self.length(shape, len(value), path, "items")
        for index, item in enumerate(value):
            self.value(shape["member"]["shape"], item, f"{path}/{index}")
        return None

    def _map(self, shape, value, path):
        if not isinstance(value, dict):
            return self.wrong(path, f"{type(value).__name__} instead of a map")
        self.length(shape, len(value), path, "entries")
        for key, item in value.items():
            self.value(shape["key"]["shape"], key, f"{path}/{key}")
            self.value(shape["value"]["shape"], item, f"{path}/{key}")
        return None

    def _string(self, shape, value, path):
        if not isinstance(value, str):
            return self.wrong(path, f"{type(value).__name__} instead of a string")
        self.length(shape, len(value), path, "characters")
        if "enum" in shape and value not in shape["enum"]:
            self.wrong(path, f"{value!r} is none of {shape['enum']}")
        if "pattern" in shape and not compiled(shape["pattern"]).search(value):
            self.wrong(path, f"{value!r} does not match {shape['pattern']}")
        return None

    def _integer(self, shape, value, path):
        if isinstance(value, bool) or not isinstance(value, int):
            return self.wrong(path, f"{type(value).__name__} instead of an integer")
        if "min" in shape and value < shape["min"]:
            self.wrong(path, f"{value} is below {shape['min']}")
        if "max" in shape and value > shape["max"]:
            self.wrong(path, f"{value} is above {shape['max']}")
        return None

    _long = _integer

    def _boolean(self, _shape, value, path):
        if not isinstance(value, bool):
            self.wrong(path, f"{type(value).__name__} instead of a boolean")

    def _timestamp(self, shape, value, path):
        if shape.get("timestampFormat") == "iso8601":
            try:
                value = datetime.datetime.fromisoformat(value)
            except (TypeError, ValueError):
                return self.wrong(path, f"{value!r} is no time of ISO 8601")
        if isinstance(value, datetime.datetime):
            value = value.timestamp()
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.wrong(path, f"{type(value).__name__} instead of a time")
        elif not EARLIEST <= value <= LATEST:
            self.wrong(path, f"{value} is no likely time")
        return None

    def _blob(self, _shape, value, path):
        if not isinstance(value, (str, bytes)):
            self.wrong(path, f"{type(value).__name__} instead of bytes")

    def _double(self, _shape, value, path):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.wrong(path, f"{type(value).__name__} instead of a number")

    _float = _double

    def length(self, shape, length, path, what):
        if length < shape.get("min", 0):
            self.wrong(path, f"{length} {what}, at least {shape['min']}")
        if "max" in shape and length > shape["max"]:
            self.wrong(path, f"{length} {what}, at most {shape['max']}")
