"""Runs Lambda functions of LocalStack as processes of this machine instead of containers.

It runs Node functions only, and without isolation: a function has the rights of the user who started LocalStack.
Its process reads events from one pipe, one per line, and writes answers to another. Each side ends if the other
side does, so no function outlives LocalStack. The process prints to a file, from which each invocation's log is
taken.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

NODE = os.environ.get("LAMBDA_NODE", "node")
RUNTIME = str(Path(__file__).with_name("function-runtime.cjs"))
STOP_AFTER_SECONDS = 2
LONGEST_LOG_BYTES = 1 << 20


class ProcessExecutor(RuntimeExecutor):
    """One execution environment. It starts a new process after a crash or a time-out."""

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.process = None
        self.events = None
        self.answers = None
        self.environment = {}
        self.log = tempfile.TemporaryFile(prefix="function-", suffix=".log")

    def start(self, env_vars):
        code = self.function_version.config.code.get_unzipped_code_location()
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            **{name: str(value) for name, value in env_vars.items()},
            "LAMBDA_TASK_ROOT": str(code),
            "TZ": "UTC",
        }
        self._spawn()

    def _spawn(self):
        self._close_pipes()
        events_in, events = os.pipe()
        answers, answers_out = os.pipe()
        self.events = os.fdopen(events, "w")
        self.answers = os.fdopen(answers)
        try:
            self.process = subprocess.Popen(
                [NODE, RUNTIME, str(events_in), str(answers_out)],
                cwd=self.environment["LAMBDA_TASK_ROOT"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
                pass_fds=[events_in, answers_out],
            )
        finally:
            os.close(events_in)
            os.close(answers_out)
        ready = self._read()
        if ready != {"ready": True}:
            self.stop()
            raise StatusErrorException("The function did not start.", json.dumps(ready or exited("")).encode())

    def _read(self):
        """Reads the next answer; None if the process has ended."""
        line = self.answers.readline()
        return json.loads(line) if line else None

    def invoke(self, payload):
        request_id = payload["invoke-id"]
        log_begins = os.fstat(self.log.fileno()).st_size
        is_error, content = self._answer_to(payload, request_id)
        log = os.pread(self.log.fileno(), LONGEST_LOG_BYTES, log_begins).decode(errors="replace")
        return InvocationResult(
            request_id,
            content,
            is_error=is_error,
            logs=f"START RequestId: {request_id}\n{log}END RequestId: {request_id}\n",
        )

    def _answer_to(self, payload, request_id):
        """Returns a flag that the invocation failed, and the content of its answer."""
        if self.process.poll() is not None:
            try:
                self._spawn()
            except StatusErrorException as error:
                return True, error.payload
        timeout = self.function_version.config.timeout
        timed_out = threading.Event()

        def end():
            timed_out.set()
            self.process.kill()

        timer = threading.Timer(timeout, end)
        timer.start()
        try:
            self.events.write(json.dumps({**payload, "timeout": timeout}) + "\n")
            self.events.flush()
            answer = self._read()
        except (BrokenPipeError, ValueError):
            answer = None
        timer.cancel()
        if answer is not None and "result" in answer:
            return False, answer["result"].encode()
        if answer is not None:
            return True, json.dumps(answer["error"]).encode()
        self.process.kill()
        self.process.wait()
        error = out_of_time(request_id, timeout) if timed_out.is_set() else exited(request_id)
        return True, json.dumps(error).encode()

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close_pipes()

    def _close_pipes(self):
        for pipe in (self.events, self.answers):
            # Closing a pipe writes the rest of its buffer, which nobody may read any more.
            with contextlib.suppress(OSError, AttributeError):
                pipe.close()

    def get_logs(self):
        return os.pread(self.log.fileno(), LONGEST_LOG_BYTES, 0).decode(errors="replace")

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        """Address of the container. A process has none: it answers by its pipe."""
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/unused"

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        """LocalStack removes the unpacked code with its other files."""


def exited(request_id):
    return {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited without providing a reason",
    }


def out_of_time(request_id, timeout):
    return {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds",
    }
