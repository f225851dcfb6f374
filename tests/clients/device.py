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

    for file in pathlib.Path(os.environ["STATIONBILL_STATE"]).rglob("*.json"):
        search(json.loads(file.read_text()))
    return found[0]
