#!/usr/bin/env python3
"""Runs one part of the proof that AWS's clients work unchanged against the sandbox.

    run.py PART

AWS_ENDPOINT_URL is the sandbox's address, STATIONBILL the program. `tests/it/clients.rs` sets both, and the libraries up.
"""

import importlib
import sys

PARTS = (
    "accounts", "organization", "cloudwatch", "contacts", "incidents", "systems_manager", "security_hub",
    "security_hub_organization", "command_line", "banana_stand", "moto",
)

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        sys.exit(f"usage: run.py {'|'.join(PARTS)}")
    importlib.import_module(f"part_{sys.argv[1]}").main()
