"""The telephones and mailboxes of the people in the sandbox."""

import json
import os
import pathlib


def code_of(channel):
    """Reads an activation code where the sandbox keeps its state: the sandbox has no telephone to send it to."""
    found = []

    def search(value):
        if isinstance(value, dict):
            if channel in value and isinstance(value[channel], dict) and value[channel].get("code"):
                found.append(value[channel]["code"])
            for item in value.values():
                search(item)
        elif isinstance(value, list):
            for item in value:
                search(item)

    state = pathlib.Path(os.environ["STATIONBILL_STATE"])
    for file in state.rglob("state.json"):
        search(json.loads(file.read_text()))
    # What was written since, a line each: the last word counts.
    for file in state.rglob("journal-*.jsonl"):
        for line in file.read_text().splitlines():
            search(json.loads(line))
    return found[-1]
