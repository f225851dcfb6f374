"""The program against moto, an AWS that others wrote: apply, an empty plan, drift, export, destroy.

Each thing in which moto is not as AWS documents it stands here, where the test leaves it out: see docs/moto.md.
"""

import logging
import os
import pathlib
import tempfile

import boto3
from moto.server import ThreadedMotoServer

from harness import ROOT, same
from programs import Programs

ACCOUNT = "123456789012"  # moto's only one, whatever the credentials
REGION = "eu-west-1"
CONTENT = """schemaVersion: "2.2"
description: Changed by hand.
mainSteps:
  - { action: "aws:runShellScript", name: usage, inputs: { runCommand: [df] } }
"""
# Patch baselines: tags cannot be read back. Dashboards: no CBOR. Incident Manager: hardly any operation.
KINDS = ("--kind", "Document", "--kind", "Runbook")


class Moto:
    """moto's server on a free port."""

    def __enter__(self):
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.url = "http://{}:{}".format(*self.server.get_host_and_port())
        return self

    def __exit__(self, *_error):
        self.server.stop()

    def environment(self):
        keep = {key: text for key, text in os.environ.items() if not key.startswith("AWS_")}
        return keep | {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
        }

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )


def documents(folder):
    """The examples of the kinds that moto knows, without what it does not know of them."""
    folder = folder / "elsewhere"
    folder.mkdir()
    (folder / "stack.yaml").write_text(
        "apiVersion: stationbill.dev/v1alpha1\nkind: Stack\nmetadata: { name: elsewhere }\nspec: { prune: true, limits: { deletes: 9 } }\n"
    )
    kinds = ROOT / "examples" / "kinds"
    (folder / "document.yaml").write_text((kinds / "document.yaml").read_text())
    # `displayName` belongs to a version: moto has no ListDocumentVersions to find it by, and forgets it.
    lines = [line for line in (kinds / "runbook.yaml").read_text().splitlines(True) if "displayName" not in line]
    (folder / "runbook.yaml").write_text("".join(lines))
    return folder.name


def names(ssm):
    found = ssm.get_paginator("list_documents").paginate(Filters=[{"Key": "Owner", "Values": ["Self"]}]).build_full_result()
    return sorted(one["Name"] for one in found["DocumentIdentifiers"])


def main():
    with tempfile.TemporaryDirectory() as folder, Moto() as moto:
        folder = pathlib.Path(folder)
        run, ssm, here = Programs(moto, folder), moto.client("ssm"), documents(folder)

        # What it cannot answer is unknown, and nothing of it is made.
        plan = run.stationbill("plan", here, "--output", "json", code=2)
        assert '"action": "unknown"' in plan and '"complete": false' in plan, plan

        applied = run.answer("apply", here, "--yes", *KINDS)
        same(applied["summary"]["create"], 3)
        made = ["SSM-SessionManagerRunShell", "banana-disk-usage", "banana-restart"]
        same(names(ssm), made)
        same(run.answer("plan", here, "--exit-code", *KINDS)["changes"], [])
        same(run.answer("drift", here, *KINDS)["changes"], [])

        changed = ssm.update_document(
            Name="banana-disk-usage", Content=CONTENT, DocumentFormat="YAML", DocumentVersion="$LATEST"
        )
        version = changed["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name="banana-disk-usage", DocumentVersion=version)
        ssm.delete_document(Name="banana-restart")
        drift = run.answer("drift", here, *KINDS, code=1)
        same({(one["object"], one["action"]) for one in drift["changes"]}, {
            ("Document/banana-disk-usage", "update"), ("Runbook/banana-restart", "create"),
        })
        # An update looks for a version that has the content already, by ListDocumentVersions: moto cannot take one.
        ssm.modify_document_permission(
            Name="banana-disk-usage", PermissionType="Share", AccountIdsToRemove=["444455556666"]
        )
        ssm.delete_document(Name="banana-disk-usage")
        repaired = run.answer("apply", here, "--yes", *KINDS)
        same((repaired["summary"]["create"], repaired["applied"]["failed"]), (2, 0))
        same(run.answer("plan", here, "--exit-code", *KINDS)["changes"], [])
        same(names(ssm), made)

        run.stationbill("export", "--out", "exported", *KINDS)
        exported = sorted(path.name for path in (folder / "exported").rglob("*.yaml"))
        same(len(exported), 3)
        first = {path: path.read_text() for path in (folder / "exported").rglob("*.yaml")}
        run.stationbill("export", "--out", "again", *KINDS)
        same({path.name: path.read_text() for path in (folder / "again").rglob("*.yaml")}, {p.name: t for p, t in first.items()})

        # Response plans and associations cannot be listed there. One could start the runbook, and the others apply any
        # document: all stay.
        run.stationbill("destroy", here, "--yes", *KINDS, code=2)
        same(names(ssm), made)
