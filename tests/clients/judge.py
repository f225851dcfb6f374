#!/usr/bin/env python3
"""Judges exchanges that a simulated AWS recorded: requests and answers, against AWS's published models.

    judge.py FOLDER
"""

import base64
import collections
import email.message
import json
import pathlib
import sys

from harness import tables
from messages import Reader


def headers(pairs):
    """Returns headers that are found whatever their case."""
    found = email.message.Message()
    for name, value in pairs:
        found[name] = value
    return found


def renamed(kept, answer):
    """A member has another name."""
    if "ContactArn" in answer and "Alias" in answer:
        answer["Aliass"] = answer.pop("Alias")
        return True
    return False


def respelt(kept, answer):
    """A value is none of the enum's."""
    if answer.get("Type") == "PERSONAL":
        answer["Type"] = "Personal"
        return True
    return False


def retimed(kept, answer):
    """A moment is written as text where it is a number."""
    document = answer.get("DocumentDescription") or answer.get("Document") or {}
    if "CreatedDate" in document:
        document["CreatedDate"] = "2026-01-05T00:00:00Z"
        return True
    return False


def retyped(kept, _answer):
    """The content has another type."""
    kept["answerHeaders"] = [[name, "text/plain" if name == "content-type" else text] for name, text in kept["answerHeaders"]]
    return kept["status"] == 200


SPOILERS = (renamed, respelt, retimed, retyped)


def calls(folder, spoil=None):
    """Reads every exchange, or those that can be spoilt, spoilt."""
    reader = Reader(tables())
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        kept = json.loads(path.read_text())
        if spoil:
            try:
                answer = json.loads(base64.b64decode(kept["answer"]))
            except ValueError:
                continue
            if not spoil(kept, answer):
                continue
            kept["answer"] = base64.b64encode(json.dumps(answer).encode())
        yield reader.read(
            kept["method"], kept["target"], headers(kept["headers"]), base64.b64decode(kept["body"]), kept["status"],
            headers(kept["answerHeaders"]), base64.b64decode(kept["answer"]),
        )


def main(folder):
    """Prints what is wrong, or how much was right."""
    found, seen = collections.Counter(), collections.Counter()
    for call in calls(folder):
        seen[call.service, call.operation] += 1
        # The program's own requests have no reason to be wrong, refused or not.
        found.update(f"{call}: {wrong}" for wrong in call.wrong)
    for text, times in sorted(found.items()):
        print(f"{text} [{times} times]" if times > 1 else text)
    print(f"{sum(seen.values())} exchanges of {len(seen)} operations, {len(found)} violations")
    # A judge who finds nothing deserves suspicion: shown what is wrong, does it say so?
    for spoil in SPOILERS:
        spoilt = list(calls(folder, spoil))
        blind = [call for call in spoilt if not call.wrong]
        if not spoilt or blind:
            print(f"{spoil.__doc__} Not noticed in {len(blind)} of {len(spoilt)} answers")
            return 1
    return 1 if found or not seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
