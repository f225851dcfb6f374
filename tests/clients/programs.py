"""Runs the AWS CLI and the program itself as people do: as processes."""

import json
import os
import pathlib
import subprocess
import sys

from harness import same

AWS = pathlib.Path(sys.executable).with_name("aws")


class Programs:
    """The programs, with the sandbox for an AWS."""

    def __init__(self, sandbox, folder):
        """`sandbox` is whatever knows the `environment` to run in."""
        self.environment = sandbox.environment()
        self.folder = folder

    def _run(self, command, code):
        done = subprocess.run(
            [str(word) for word in command], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )
        said = " ".join(str(word) for word in command)
        assert done.returncode == code, f"{said}\nended with {done.returncode} instead of {code}\n{done.stdout}{done.stderr}"
        return done

    def aws(self, *words, code=0):
        """Runs the AWS CLI and returns what it answered, read as JSON when it is."""
        done = self._run([AWS, *words], code)
        if code:
            return done.stderr
        try:
            return json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError:
            return done.stdout.strip()

    def refused(self, error, *words):
        """Expects the AWS CLI to report that error; 255 is how it says that the service refused."""
        said = self.aws(*words, code=255)
        assert f"({error})" in said, f"{error} instead of: {said}"

    def stationbill(self, *words, code=0):
        """Runs the program and returns what it printed."""
        return self._run([os.environ["STATIONBILL"], *words], code).stdout

    def answer(self, *words, code=0):
        """Runs the program and returns its JSON."""
        answer = json.loads(self.stationbill(*words, "--output", "json", code=code))
        same((answer["version"], answer["complete"]), (1, True))
        return answer
