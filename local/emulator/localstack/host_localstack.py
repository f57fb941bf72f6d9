"""Starts LocalStack on this machine instead of in its container, without Docker.

Each patch has a name and names the text in LocalStack's own source that makes it necessary. If a newer version
lacks that text, LocalStack is not started, because one of the patches keeps strangers from running code here.
`--check` only lists the patches that still fit; the exit code is 1 if any does not.
The program and all its child processes end at SIGTERM, at SIGINT, or when its standard input closes.
"""

import functools
import importlib
import inspect
import os
import signal
import subprocess
import sys
import threading

import psutil
from localstack.logging.setup import setup_logging_from_config
from localstack.runtime import current
from localstack.runtime.server.twisted import TwistedRuntimeServer
from localstack.services.apigateway.next_gen.execute_api.handlers.parse import InvocationRequestParser
from localstack.services.dynamodb.packages import DynamoDBLocalPackageInstaller
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.internal import HealthResource
from localstack.services.lambda_.invocation.plugins import DockerRuntimeExecutorPlugin
from twisted.internet import endpoints

PATCHES = []


def patch(name, faulty, text):
    """Registers a patch that fits as long as the source of `faulty` contains `text`."""

    def register(apply):
        PATCHES.append((name, text in inspect.getsource(faulty), apply))
        return apply

    return register


@patch(
    "listens-on-loopback",
    TwistedRuntimeServer.register,
    "endpoints.TCP4ServerEndpoint(reactor, host_and_port.port)",
)
def listens_on_loopback():
    """Binds LocalStack, whose functions have this user's rights, to loopback. It ignores GATEWAY_LISTEN's address."""
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")


@patch("functions-are-processes", DockerRuntimeExecutorPlugin.load, "DockerRuntimeExecutor")
def functions_are_processes():
    """Runs functions without Docker. Registering an executor regularly would take an installed distribution."""
    from function_processes import ProcessExecutor

    DockerRuntimeExecutorPlugin.load = lambda *_args, **_kwargs: ProcessExecutor


@patch("dynamodb-of-this-machine", DynamodbServer._create_shell_command, 'f"-javaagent:')
def dynamodb_of_this_machine():
    """Uses this machine's DynamoDB Local and Java, instead of a download at the first call of a table."""
    installer = DynamoDBLocalPackageInstaller
    installer.install = lambda *_args, **_kwargs: None
    installer.get_installed_dir = lambda _self: os.environ["DYNAMODB_LOCAL_HOME"]
    installer.get_java_env_vars = lambda _self: {}
    with_agent = DynamodbServer._create_shell_command

    def without_agent(self):
        """Leaves out the agent, another download, which only tables with more than 20 indexes need."""
        return [part for part in with_agent(self) if not part.startswith("-javaagent:")]

    DynamodbServer._create_shell_command = without_agent


@patch(
    "functions-see-the-callers-path",
    InvocationRequestParser.create_context_variables,
    """path=f"/{context.stage}{invocation_request['raw_path']}",""",
)
def functions_see_the_callers_path():
    """Makes links in the API's answers work; see callers_path.py."""
    importlib.import_module("callers_path")


def tell_that_functions_are_processes():
    """Marks the health answer. Functions here reach this machine by its own name, unlike those in a container."""
    told = HealthResource.on_get
    HealthResource.on_get = lambda self, request: {**told(self, request), "functions": "processes"}


# A child that was being started when the first sweep began is found by the next one.
MAX_SWEEPS = 3


def end(*_args):
    """Ends at once: LocalStack's own shutdown takes minutes, and there is nothing to keep."""
    # LocalStack starts DynamoDB Local anew when it ends: from now on it can start nothing.
    subprocess.Popen = None
    for _ in range(MAX_SWEEPS):
        children = psutil.Process().children(recursive=True)
        if not children:
            break
        for child in children:
            child.kill()
        psutil.wait_procs(children, timeout=1)
    os._exit(0)


def end_with_standard_input():
    """Ends when the parent process, which holds the other end of standard input, is gone."""
    sys.stdin.buffer.read()
    end()


def main():
    if sys.argv[1:] == ["--check"]:
        for name, fits, _apply in PATCHES:
            print(f"{name}: {'fits' if fits else 'does not fit'}")
        sys.exit(0 if all(fits for _name, fits, _apply in PATCHES) else 1)
    strange = [name for name, fits, _apply in PATCHES if not fits]
    if strange:
        sys.exit(f"This LocalStack is another than these patches are for: {', '.join(strange)}")
    for name, _fits, apply in PATCHES:
        apply()
        print(f"patch {name}: applied", flush=True)
    tell_that_functions_are_processes()
    setup_logging_from_config()
    runtime = current.initialize_runtime()
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    runtime.run()


if __name__ == "__main__":
    main()
