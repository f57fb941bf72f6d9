"""Starts LocalStack on this machine instead of in its container, without Docker.

Each patch has a name and names the text in LocalStack's own source that makes it necessary. When that text is
gone from a newer version, LocalStack is not started: one of the patches keeps strangers from running code here.
`--check` only tells which patches still fit; exit code 1 if any does not.
It ends with SIGTERM, SIGINT or its standard input, and all its child processes with it.
"""

import functools
import importlib
import inspect
import os
import signal
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
    """Registers a patch that fits as long as `text` stands in the source of `faulty`."""

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
    """LocalStack listens on every address, whatever GATEWAY_LISTEN says; its functions have this user's rights."""
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")


@patch("functions-are-processes", DockerRuntimeExecutorPlugin.load, "DockerRuntimeExecutor")
def functions_are_processes():
    """Functions run without Docker. An executor of one's own would have to be an installed distribution."""
    from function_processes import ProcessExecutor

    DockerRuntimeExecutorPlugin.load = lambda *_args, **_kwargs: ProcessExecutor


@patch("dynamodb-of-this-machine", DynamodbServer._create_shell_command, 'f"-javaagent:')
def dynamodb_of_this_machine():
    """DynamoDB Local and Java are those of this machine, and not downloaded at the first call of a table."""
    installer = DynamoDBLocalPackageInstaller
    installer.install = lambda *_args, **_kwargs: None
    installer.get_installed_dir = lambda _self: os.environ["DYNAMODB_LOCAL_HOME"]
    installer.get_java_env_vars = lambda _self: {}
    with_agent = DynamodbServer._create_shell_command

    def without_agent(self):
        """The agent, another download, is for more than 20 indexes a table."""
        return [part for part in with_agent(self) if not part.startswith("-javaagent:")]

    DynamodbServer._create_shell_command = without_agent


@patch(
    "functions-see-the-callers-path",
    InvocationRequestParser.create_context_variables,
    """path=f"/{context.stage}{invocation_request['raw_path']}",""",
)
def functions_see_the_callers_path():
    """Links in answers of an API can be followed; see there."""
    importlib.import_module("callers_path")


def tell_that_functions_are_processes():
    """Adds to the health: functions reach this machine by its own name, unlike those of the container."""
    told = HealthResource.on_get
    HealthResource.on_get = lambda self, request: {**told(self, request), "functions": "processes"}


def end(*_args):
    """Ends at once: LocalStack's own way takes minutes, and there is nothing to keep."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        child.kill()
    psutil.wait_procs(children, timeout=2)
    os._exit(0)


def end_with_standard_input():
    """Whoever started this holds the other end, and may be killed."""
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
