"""One request and its answer, read from the wire and checked against the model of the service."""

import dataclasses
import functools
import json
import re
import urllib.parse

import cbor
import query
from shapes import Check, model, wire_name

# What AWS's front ends answer without any service's model naming it: the common errors of the API references.
COMMON = {
    "AccessDeniedException", "ThrottlingException", "UnrecognizedClientException", "InvalidClientTokenId", "ValidationException", "ValidationError",
    "UnsupportedOperationException", "UnknownOperationException", "InternalFailure",
    # As the services that once spoke awsQuery spell two of them.
    "AccessDenied", "Throttling",
}
# Errors that a model's operation does not list, but the API reference does, or Terraform's provider meets and tolerates.
UNLISTED = {
    ("DeleteDashboards", "DashboardNotFoundError"), ("DeleteDashboards", "ResourceNotFound"),
    ("DeregisterPatchBaselineForPatchGroup", "DoesNotExistException"), ("DisableSecurityHub", "InvalidInputException"),
}
ERROR_WORDS = ("__type", "message", "Message", "code")


@dataclasses.dataclass
class Call:
    """What went by, and what was wrong with it."""

    service: str = ""
    operation: str = ""
    protocol: str = ""
    status: int = 0
    error: str = ""
    input: dict = dataclasses.field(default_factory=dict)
    wrong: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return f"{self.service} {self.operation} ({self.protocol}) {self.status} {self.error}".strip()


class Reader:
    """Reads the messages of the services that it was made for."""

    def __init__(self, services):
        self.services = services
        self.by_signature = {}
        for service in services:
            metadata = model(service)["metadata"]
            self.by_signature[metadata.get("signingName", metadata["endpointPrefix"])] = service

    def read(self, method, target, headers, body, status, answer_headers, answer):
        """Returns the call with everything that is wrong in it."""
        call = Call(status=status)
        try:
            self._request(call, method, target, headers, body)
            if call.operation:
                self._answer(call, answer_headers, answer)
        except (ValueError, LookupError, TypeError, SyntaxError) as error:
            call.wrong.append(f"unreadable: {type(error).__name__}: {error}")
        return call

    def _request(self, call, method, target, headers, body):
        scope = re.search(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", headers.get("Authorization", ""))
        if not scope:
            call.wrong.append("the request is not signed")
            return
        call.service = self.by_signature.get(scope[2], "")
        if not call.service:
            call.wrong.append(f"the request is signed for {scope[2]}")
            return
        service, check = model(call.service), Check(call.service)
        path, _, parameters = target.partition("?")
        content = headers.get("Content-Type", "").split(";")[0]
        if headers.get("smithy-protocol") == "rpc-v2-cbor":
            call.protocol = "rpc-v2-cbor"
            prefix = f"/service/{service['metadata']['targetPrefix']}/operation/"
            call.operation = path.removeprefix(prefix)
            value = cbor.loads(body) if body else {}
            self._expect(check, content, "application/cbor")
            self._body(call, check, service, value)
        elif "X-Amz-Target" in headers:
            call.protocol = "json"
            prefix, _, call.operation = headers["X-Amz-Target"].partition(".")
            self._expect(check, prefix, service["metadata"]["targetPrefix"])
            self._expect(check, content, f"application/x-amz-json-{service['metadata']['jsonVersion']}")
            self._body(call, check, service, json.loads(body))
        elif content == "application/x-www-form-urlencoded":
            call.protocol = "query"
            fields = dict(urllib.parse.parse_qsl(body.decode()))
            call.operation = fields["Action"]
            self._expect(check, fields.get("Version"), service["metadata"]["apiVersion"])
            operation = service["operations"][call.operation]
            value = query.form(check, operation.get("input", {}).get("shape"), body)
            self._body(call, check, service, value)
        else:
            call.protocol = "rest-json"
            self._rest(call, check, service, method, path, parameters, body)
        call.wrong += [f"request {wrong}" for wrong in check.found]

    @staticmethod
    def _expect(check, value, wanted):
        if value != wanted:
            check.wrong("", f"{value!r} instead of {wanted!r}")

    @staticmethod
    def _body(call, check, service, value):
        call.input = value
        name = service["operations"][call.operation].get("input", {}).get("shape")
        if name:
            check.value(name, value)
        elif value:
            check.wrong("", "takes no input")

    @staticmethod
    def _rest(call, check, service, method, path, parameters, body):
        found = [entry for entry in routes(call.service) if entry[0] == method and entry[1].fullmatch(path)]
        if len(found) != 1:
            check.wrong("", f"{method} {path} is {len(found)} operations")
            return
        _, pattern, call.operation = found[0]
        shape = service["shapes"][service["operations"][call.operation]["input"]["shape"]]
        value = json.loads(body) if body else {}
        if not isinstance(value, dict):
            check.wrong("", "the body is no object")
            return
        call.input = dict(value)
        members = shape["members"]
        inside = {name: member for name, member in members.items() if "location" not in member}
        check.members(shape, value, "", inside)
        given = urllib.parse.parse_qs(parameters, keep_blank_values=True, strict_parsing=bool(parameters))
        uri = {key: urllib.parse.unquote(text) for key, text in pattern.fullmatch(path).groupdict().items()}
        for name, member in members.items():
            wire, place = wire_name(member, name), member.get("location")
            if place == "querystring" and wire in given:
                texts = given.pop(wire)
                kind = service["shapes"][member["shape"]]["type"]
                call.input[wire] = texts if kind == "list" else number(texts[0]) if kind == "integer" else texts[0]
            elif place == "uri":
                call.input[wire] = uri[wire]
            elif place is None:
                continue
            elif name in shape.get("required", ()):
                check.wrong("", f"{name} is required and missing")
                continue
            if wire in call.input:
                check.value(member["shape"], call.input[wire], f"/{wire}")
        for key in given:
            check.wrong(f"?{key}", "is not in the model")

    @staticmethod
    def _answer(call, headers, body):
        service, check = model(call.service), Check(call.service)
        operation = service["operations"][call.operation]
        if call.status >= 300:
            _error(call, check, service, operation, headers, body)
        else:
            _success(call, check, service, operation, headers, body)
        call.wrong += [f"answer {wrong}" for wrong in check.found]


def number(text):
    """Reads a whole number of a query string; anything else stays what it is, for the check to find."""
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


@functools.cache
def routes(service):
    """Returns method, pattern of the path and name of each operation of a REST service."""
    found = []
    for name, operation in model(service)["operations"].items():
        uri = operation["http"]["requestUri"].partition("?")[0]
        # A label with a plus takes slashes too.
        pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(uri))
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
        found.append((operation["http"]["method"], re.compile(pattern), name))
    return found


def _content(check, protocol, service, headers):
    wanted = {
        "json": f"application/x-amz-json-{service['metadata'].get('jsonVersion')}", "rest-json": "application/json",
        "query": "text/xml", "rpc-v2-cbor": "application/cbor",
    }[protocol]
    content = headers.get("Content-Type", "").split(";")[0]
    if content != wanted:
        check.wrong("", f"Content-Type {content!r} instead of {wanted!r}")
    if protocol == "rpc-v2-cbor" and headers.get("smithy-protocol") != "rpc-v2-cbor":
        check.wrong("", "no header smithy-protocol")


def _success(call, check, service, operation, headers, body):
    if not headers.get("x-amzn-RequestId"):
        check.wrong("", "no header x-amzn-RequestId")
    wanted = operation["http"].get("responseCode", 200) if call.protocol == "rest-json" else 200
    if call.status != wanted:
        check.wrong("", f"status {call.status} instead of {wanted}")
    name = operation.get("output", {}).get("shape")
    if body:
        _content(check, call.protocol, service, headers)
    if call.status == 204:
        if body:
            check.wrong("", "204 with a body")
    elif call.protocol == "query":
        wrapper = operation.get("output", {}).get("resultWrapper")
        value = query.answer(check, service, call.operation, name, wrapper, body)
        if name:
            check.value(name, value)
    elif name or body:
        value = cbor.loads(body) if call.protocol == "rpc-v2-cbor" else json.loads(body)
        if name:
            check.value(name, value)
        elif value:
            check.wrong("", "has no output")


def _error(call, check, service, operation, headers, body):
    _content(check, call.protocol, service, headers)
    kind = ""
    if call.protocol == "query":
        code, kind, value = query.error(check, service, body)
    else:
        value = cbor.loads(body) if call.protocol == "rpc-v2-cbor" else json.loads(body)
        code = headers.get("x-amzn-errortype") or value.get("__type") or ""
        code = code.partition(":")[0].rpartition("#")[2]
    call.error = code
    errors = {name: service["shapes"][name] for name, shape in service["shapes"].items() if shape.get("exception")}
    # JSON and CBOR name the shape, the query protocol its code.
    names = [n for n, s in errors.items() if (s.get("error", {}).get("code", n) if call.protocol == "query" else n) == code]
    listed = {error["shape"] for error in operation.get("errors", ())}
    if names and not listed.intersection(names) and code not in COMMON and (call.operation, code) not in UNLISTED:
        check.wrong("", f"{code} is no error of this operation")
    if not names and code not in COMMON:
        check.wrong("", f"{code} is in no model")
    shape = errors[names[0]] if names else {"type": "structure", "members": {}}
    entry = shape.get("error", {})
    wanted = entry.get("httpStatusCode") or (500 if shape.get("fault") else 400)
    if call.status != wanted and names:
        check.wrong("", f"{code} with status {call.status} instead of {wanted}")
    if kind and kind != ("Receiver" if call.status >= 500 else "Sender"):
        check.wrong("", f"an error's type is {kind} with status {call.status}")
    if call.protocol == "query":
        # Members of an error's shape have no documented place in the query protocol beyond the message.
        return
    if service["metadata"].get("awsQueryCompatible") is not None and "x-amzn-query-error" not in headers:
        check.wrong("", "no header x-amzn-query-error")
    check.members(shape, value, "", extra=ERROR_WORDS)
