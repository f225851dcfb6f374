"""What the parts share: clients of the sandbox through the recorder, and words for what is expected."""

import contextlib
import json
import os
import pathlib
import threading
import time

import boto3
import botocore.config
import botocore.exceptions
import botocore.loaders

from recorder import Recorder

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = ROOT / "src" / "sandbox" / "models"
ACCOUNT = "111122223333"
REGION = "ap-northeast-1"


def tables():
    """Returns the operations of each service of the sandbox."""
    return {path.stem: set(json.loads(path.read_text())["operations"]) for path in sorted(TABLES.glob("*.json"))}


class OneProtocol(botocore.loaders.Loader):
    """Botocore's models with one protocol left to choose."""

    def __init__(self, protocol):
        super().__init__()
        self.protocol = protocol

    def load_service_model(self, service_name, type_name, api_version=None):
        loaded = super().load_service_model(service_name, type_name, api_version)
        if type_name == "service-2":
            metadata = {**loaded["metadata"], "protocol": self.protocol, "protocols": [self.protocol]}
            loaded = {**loaded, "metadata": metadata}
        return loaded


class Aws:
    """The sandbox as a part sees it."""

    def __init__(self, recorder):
        self.recorder = recorder

    def client(self, service, region=REGION, account=ACCOUNT, protocol=None, token=None):
        """Returns a boto3 client that signs as that account."""
        session = boto3.Session(
            aws_access_key_id=account, aws_secret_access_key="secret", aws_session_token=token, region_name=region
        )
        if protocol:
            session._session.register_component("data_loader", OneProtocol(protocol))
        config = botocore.config.Config(retries={"mode": "standard", "total_max_attempts": 1})
        return session.client(service, endpoint_url=self.recorder.url, config=config)

    def environment(self, **more):
        """Returns the environment for a program that speaks to the sandbox."""
        keep = {key: text for key, text in os.environ.items() if not key.startswith("AWS_")}
        return keep | {
            "AWS_ENDPOINT_URL": self.recorder.url, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
        } | more


@contextlib.contextmanager
def aws(strict=False):
    """Serves a part, and at its end holds that nothing that went by was wrong."""
    with Recorder(os.environ["AWS_ENDPOINT_URL"], tables()) as recorder:
        yield Aws(recorder)
        found = recorder.violations(strict)
    assert not found, "not as AWS's models have it:\n  " + "\n  ".join(found)


def all_called(recorder, service, *protocols, names=None):
    """Holds that each operation of a service's table, or those named, was answered with success, in each of the protocols."""
    done = recorder.done()
    for protocol in protocols:
        missing = {name for name in names or tables()[service] if (service, name, protocol) not in done}
        assert not missing, f"{service}: never succeeded by {protocol}: {', '.join(sorted(missing))}"


@contextlib.contextmanager
def refused(kind, code=None):
    """Expects that the block ends in an error of that class of botocore's, or with that code."""
    said = {}
    wanted = botocore.exceptions.ClientError if isinstance(kind, str) else kind
    code = kind if isinstance(kind, str) else code
    try:
        yield said
    except wanted as error:
        said.update(error.response)
        found = error.response["Error"]["Code"]
        assert code is None or found == code, f"{found} instead of {code}: {error}"
        assert code is None or "Message" in error.response["Error"], error.response
    else:
        raise AssertionError(f"no error, where {kind} was expected")


def same(found, wanted):
    """Expects a value."""
    assert found == wanted, f"\n found {found!r}\nwanted {wanted!r}"


def holds(found, wanted):
    """Expects these members in an answer, whatever else is in it."""
    same({key: found.get(key) for key in wanted}, wanted)


def eventually(what, seconds=20):
    """Asks until the answer is yes."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)
    return answer


def side_by_side(jobs):
    """Runs functions in threads; the first failure is raised."""
    failed = []

    def run(job):
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
