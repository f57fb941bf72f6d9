"""Starts MiniStack with patches for the points in which its pinned version differs from AWS's documentation.

Each patch has a name and names the faulty text in MiniStack's own source. If a newer version lacks that text,
the patch is left out, and the log says that it can be removed here.
`--check` only lists the patches that are still needed; the exit code is 1 if any is not.
"""

import contextvars
import functools
import inspect
import json
import random
import re
import sys
import threading
import time
import types
import uuid

from ministack.core import lambda_runtime as runtime
from ministack.core.responses import error_response_json, json_response, now_iso
from ministack.services import apigateway_v1 as apis
from ministack.services import lambda_svc as functions
from ministack.services import stepfunctions as states
from ministack.services.cloudformation import provisioners

PATCHES = []


def patch(name, faulty, text):
    """Registers a patch that is needed as long as the source of `faulty` contains `text`."""

    def register(apply):
        source = faulty if isinstance(faulty, str) else inspect.getsource(faulty)
        PATCHES.append((name, text in source, apply))
        return apply

    return register


def replaces(module, attribute):
    """Replaces one of MiniStack's functions. The replacement gets the original as its first argument."""

    def decorate(replacement):
        setattr(module, attribute, functools.partial(replacement, getattr(module, attribute)))

    return decorate


# --- Lambda ------------------------------------------------------------------------------------


@patch("errors-keep-their-name", runtime._NODEJS_WORKER_SCRIPT, "error: String(err.message || err)")
def errors_keep_their_name():
    """Reports a thrown error as `{errorType, errorMessage, trace}`, and keeps the process."""
    thrown = """
        const fault = err instanceof Error ? err : new Error(String(err));
        _realStdoutWrite(JSON.stringify({ status: "ok", result: { __thrown: {
          errorType: fault.name, errorMessage: fault.message,
          trace: String(fault.stack || "").split("\\n") } } }) + "\\n");"""
    script = runtime._NODEJS_WORKER_SCRIPT
    for fault, report in (
        ('status: "error", error: String(err.message || err), trace: err.stack || ""', thrown),
        ('status: "error", error: e.message, trace: e.stack', thrown.replace("err", "e", 3)),
    ):
        pattern = r"_realStdoutWrite\(JSON\.stringify\(\{\s*" + re.escape(fault) + r'\s*\}\) \+ "\\n"\);'
        script, count = re.subn(pattern, lambda _match: report, script)
        if count != 1:
            sys.exit(f"errors-keep-their-name: {fault} is there {count} times")
    runtime._NODEJS_WORKER_SCRIPT = script

    @replaces(functions, "_execute_function_warm")
    def execute(original, *args):
        result = original(*args)
        body = result.get("body")
        if isinstance(body, dict) and "__thrown" in body:
            return {**result, "body": body["__thrown"], "error": True}
        if isinstance(body, dict) and body.get("errorMessage") == "Worker process died":
            body["errorType"] = "Runtime.ExitError"
        return result


# --- API Gateway -------------------------------------------------------------------------------

BELOW = contextvars.ContextVar("below", default="")


@patch("functions-see-the-callers-path", apis._build_lambda_event_v1, '"path": f"/{stage_name}{request_path}"')
def functions_see_the_callers_path():
    """Passes the caller's path as `requestContext.path`, so that links made from it work."""
    from ministack import app

    @replaces(app, "_parse_execute_api_url")
    def parse(original, host, path):
        found = re.match("/_aws/execute-api/[^/]+", path)
        BELOW.set(found[0] if found else "")
        return original(host, path)

    @replaces(apis, "_build_lambda_event_v1")
    def build(original, *args, **kwargs):
        event = original(*args, **kwargs)
        event["requestContext"]["path"] = BELOW.get() + event["requestContext"]["path"]
        return event


# --- Step Functions: ends of tasks, branches and executions --------------------------------------


class Closed(BaseException):
    """Raised if the execution, or one branch of it, has been ended from outside."""


class Scope:
    """An execution or one of its branches. Everything that runs in it ends with it."""

    def __init__(self, parent=None):
        self.is_closed = False
        self.last_event = parent.last_event if parent else 0
        self.waiting = set()
        self.attempts = set()
        self.children = []
        if parent:
            parent.children.append(self)

    def close(self):
        with LOCK:
            self.is_closed = True
            for child in self.children:
                child.close()
            for attempt in self.attempts:
                attempt.settle("closed")
            for event in self.waiting:
                event.set()

    def wait(self, event, seconds=None):
        """@returns True if it was set in time. @throws Closed"""
        with LOCK:
            if self.is_closed:
                raise Closed
            self.waiting.add(event)
        is_set = event.wait(seconds)
        with LOCK:
            self.waiting.discard(event)
            if self.is_closed:
                raise Closed
        return is_set


class Attempt:
    """One attempt of a task. The first of all possible endings ends it."""

    def __init__(self):
        self.settled = threading.Event()
        self.outcome = None
        self.beat_at = time.monotonic()

    def settle(self, kind, *details):
        with LOCK:
            if self.outcome is not None:
                return False
            self.outcome = (kind, *details)
            self.settled.set()
            return True


LOCK = threading.RLock()
SCOPE = contextvars.ContextVar("scope", default=None)
IS_MAP_ITEM = contextvars.ContextVar("is_map_item", default=False)
SCOPES = {}
TOKENS = {}


def in_thread(work, *args):
    threading.Thread(
        target=contextvars.copy_context().run, args=(work, *args), daemon=True
    ).start()


def seconds_of(state, field, raw_input, ctx):
    path = state.get(f"{field}Path")
    return state.get(field) if path is None else states._resolve_path_or_ctx(path, raw_input, ctx)


def delay_of(retrier, count):
    seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** count
    seconds = min(seconds, retrier.get("MaxDelaySeconds", seconds))
    return random.uniform(0, seconds) if retrier.get("JitterStrategy") == "FULL" else seconds


class TaskEvents:
    """The history of a task. A function called by its ARN has event types of its own."""

    def __init__(self, execution, resource):
        self.execution = execution
        self.is_function = not resource.startswith("arn:aws:states:::")
        self.action = resource.rsplit(":", 1)[-1]
        self.resource = resource

    def add(self, kind, **details):
        if self.is_function:
            self._add(f"LambdaFunction{kind}", details)
        else:
            self._add(f"Task{kind}", {"resourceType": "lambda", "resource": self.action, **details})

    def _add(self, event_type, details):
        name = event_type[0].lower() + event_type[1:] + "EventDetails"
        states._add_event(self.execution, event_type, {name: details} if details else None)

    def scheduled(self, effective, timeout, heartbeat):
        timers = {"timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat}
        timers = {name: seconds for name, seconds in timers.items() if seconds is not None}
        text = states.json.dumps(effective)
        if self.is_function:
            self.add("Scheduled", resource=self.resource, input=text, **timers)
        else:
            self.add("Scheduled", region=states.get_region(), parameters=text, **timers)


def attempt_task(state, raw_input, execution, ctx, token):
    """@returns the task's result. @throws _ExecutionError, Closed"""
    resource = state["Resource"]
    scope, attempt = SCOPE.get(), Attempt()
    with LOCK:
        scope.attempts.add(attempt)
    if token is not None:
        TOKENS[token] = attempt
    effective = states._apply_parameters(
        state, states._apply_input_path(state, raw_input, ctx), ctx
    )
    timeout = seconds_of(state, "TimeoutSeconds", raw_input, ctx)
    heartbeat = seconds_of(state, "HeartbeatSeconds", raw_input, ctx)
    events = TaskEvents(execution, resource)
    events.scheduled(effective, timeout, heartbeat)
    events.add("Started")

    def invoke():
        try:
            result = states._invoke_resource(resource.replace(".waitForTaskToken", ""), effective)
        except states._ExecutionError as error:
            attempt.settle("error", error.error, error.cause)
            return
        except Exception as error:
            attempt.settle("error", "Lambda.Unknown", str(error))
            return
        if not events.is_function:
            result = {"ExecutedVersion": "$LATEST", **result}
        if token is None:
            attempt.settle("result", result)
        else:
            with LOCK:
                if attempt.outcome is None:
                    events.add("Submitted", output=states.json.dumps(result))

    in_thread(invoke)
    started_at = time.monotonic()
    while attempt.outcome is None:
        now = time.monotonic()
        left = [] if timeout is None else [(started_at + timeout - now, "States.Timeout")]
        if heartbeat is not None:
            left.append((attempt.beat_at + heartbeat - now, "States.HeartbeatTimeout"))
        seconds, error = min(left, default=(None, None))
        if seconds is not None and seconds <= 0:
            attempt.settle("timeout", error, "")
        else:
            scope.wait(attempt.settled, seconds)
    with LOCK:
        scope.attempts.discard(attempt)
    kind, *details = attempt.outcome
    if kind == "closed":
        raise Closed
    if kind == "result":
        events.add("Succeeded", output=states.json.dumps(details[0]))
        return details[0]
    error, cause = details
    events.add("TimedOut" if kind == "timeout" else "Failed", error=error, cause=cause)
    raise states._ExecutionError(error, cause)


@patch("tasks-end-as-documented", states._invoke_with_callback, "except _ExecutionError:\n            pass")
def tasks_end_as_documented():
    """Gives each attempt a token and fails the task if its function throws. Adds time-outs by path, heartbeats,
    delays with jitter and an upper limit, and the documented events."""

    @replaces(states, "_execute_task")
    def execute_task(original, state, raw_input, execution, ctx):
        resource = state.get("Resource", "")
        is_function = ":function:" in resource or ":::lambda:invoke" in resource
        is_jsonata = states._state_query_language(state, ctx) == "JSONata"
        if not is_function or is_jsonata or SCOPE.get() is None:
            return original(state, raw_input, execution, ctx)
        counts = {}
        while True:
            token = str(uuid.uuid4()) if resource.endswith(".waitForTaskToken") else None
            # Branches share the context object, so this attempt gets a copy.
            own = {**ctx, "State": {**ctx["State"], "RetryCount": sum(counts.values())}}
            if token is not None:
                own["Task"] = {"Token": token}
            try:
                result = attempt_task(state, raw_input, execution, own, token)
                result = states._apply_result_selector(state, result)
                output = states._apply_result_path(state, raw_input, result)
                return states._apply_output_path(state, output, own), states._next_or_end(state)
            except states._ExecutionError as error:
                retrier, index = states._find_matching_retrier(
                    state.get("Retry", []), error.error, counts
                )
                if retrier is not None:
                    states._scaled_sleep(delay_of(retrier, counts.get(index, 0)))
                    counts[index] = counts.get(index, 0) + 1
                    continue
                catcher = states._find_matching_catcher(state.get("Catch", []), error.error)
                if catcher is None:
                    raise
                details = {"Error": error.error, "Cause": error.cause}
                path = catcher.get("ResultPath", "$")
                return states._apply_result_path_raw(path, raw_input, details), catcher["Next"]

    @replaces(states, "_scaled_sleep")
    def scaled_sleep(original, seconds):
        scope = SCOPE.get()
        if scope is None:
            original(seconds)
        elif seconds > 0:
            scope.wait(threading.Event(), seconds * states._SFN_WAIT_SCALE)


@patch("signals-by-token", states._send_task_success, '"TaskDoesNotExist", "Task token not found"')
def signals_by_token():
    """Accepts the first signal. Answers TaskTimedOut to a later one, and InvalidToken to a made-up token."""

    def signal(send):
        def handle(original, data):
            attempt = TOKENS.get(data.get("taskToken"))
            if attempt is None:
                answered = original(data)
                is_unknown = b"TaskDoesNotExist" in (answered[2] or b"")
                return refuse("InvalidToken", "Invalid token") if is_unknown else answered
            problem = send(attempt, data)
            return json_response({}) if problem is None else problem

        return handle

    def late():
        return refuse("TaskTimedOut", "The task is closed.")

    def success(attempt, data):
        try:
            output = json.loads(data.get("output", ""))
        except ValueError:
            return refuse("InvalidOutput", "The output is not JSON.")
        return None if attempt.settle("result", output) else late()

    def failure(attempt, data):
        details = (data.get("error", ""), data.get("cause", ""))
        return None if attempt.settle("error", *details) else late()

    def heartbeat(attempt, _data):
        if attempt.outcome is not None:
            return late()
        attempt.beat_at = time.monotonic()
        return None

    replaces(states, "_send_task_success")(signal(success))
    replaces(states, "_send_task_failure")(signal(failure))
    replaces(states, "_send_task_heartbeat")(signal(heartbeat))


@patch("executions-end-as-documented", states._stop_execution, '"Execution is not running"')
def executions_end_as_documented():
    """Adds the state machine's own time-out. Ends running work with its execution. Makes stopping repeatable."""

    def end(execution, status):
        with LOCK:
            if execution["status"] != "RUNNING":
                return
            execution.update(status=status, stopDate=now_iso(), error="States.Timeout")
            states._add_event(execution, "ExecutionTimedOut")
            states._emit_execution_status_event(execution)
        SCOPES[execution["executionArn"]].close()

    @replaces(states, "_run_execution")
    def run(original, arn):
        execution = states._executions.get(arn)
        machine = execution and states._state_machines.get(execution["stateMachineArn"])
        if not machine:
            return original(arn)
        SCOPES[arn] = scope = Scope()
        SCOPE.set(scope)
        limit = json.loads(machine["definition"]).get("TimeoutSeconds")
        context = contextvars.copy_context()
        timer = threading.Timer(limit or 0, context.run, (end, execution, "TIMED_OUT"))
        timer.daemon = True
        if limit is not None:
            timer.start()
        try:
            original(arn)
        except Closed:
            pass
        finally:
            timer.cancel()
            SCOPES.pop(arn, None)

    @replaces(states, "_fail_execution")
    def fail(original, execution, error, cause):
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    @replaces(states, "_stop_execution")
    def stop(original, data):
        execution = states._executions.get(data.get("executionArn"))
        if execution and execution["status"] != "RUNNING":
            return json_response({"stopDate": execution["stopDate"]})
        stopped = original(data)
        scope = SCOPES.get(data.get("executionArn"))
        if execution and scope:
            scope.close()
        return stopped


@patch("branches-end-together", states._run_parallel_branches, "for t in threads:\n        t.join()")
def branches_end_together():
    """Ends a Parallel and its other branches with the first branch that fails."""

    @replaces(states, "_run_parallel_branches")
    def run(_original, state, raw_input, execution, ctx):
        effective = states._apply_parameters(
            state, states._apply_input_path(state, raw_input, ctx), ctx
        )
        branches = state["Branches"]
        outer, scopes = SCOPE.get(), []
        results, done, failures = {}, threading.Event(), []

        def run_branch(index, branch, scope):
            SCOPE.set(scope)
            own = {**ctx}
            try:
                results[index] = states._run_sub_machine(
                    branch["States"], branch["StartAt"], effective, execution, own
                )
            except Closed:
                return
            except states._ExecutionError as error:
                failures.append(error)
            except Exception as error:
                failures.append(states._ExecutionError("States.BranchFailed", str(error)))
            if failures or len(results) == len(branches):
                done.set()

        states._add_event(execution, "ParallelStateStarted")
        for index, branch in enumerate(branches):
            scopes.append(Scope(outer))
            in_thread(run_branch, index, branch, scopes[-1])
        outer.wait(done)
        if failures:
            for scope in scopes:
                scope.close()
            states._add_event(execution, "ParallelStateFailed")
            raise failures[0]
        states._add_event(execution, "ParallelStateSucceeded")
        result = [results[index] for index in range(len(branches))]
        result = states._apply_result_selector(state, result)
        output = states._apply_result_path(state, raw_input, result)
        return states._apply_output_path(state, output, ctx), states._next_or_end(state)


# --- Step Functions: history ---------------------------------------------------------------------


@patch("history-is-linked", states._add_event, '"id": len(execution["events"]) + 1,\n        "type"')
def history_is_linked():
    """Links every event to the one before it, adds the items of Map runs, and writes JSON without blanks."""
    compact = functools.partial(json.dumps, separators=(",", ":"), ensure_ascii=False)
    states.json = types.SimpleNamespace(
        dumps=compact, loads=json.loads, JSONDecodeError=json.JSONDecodeError
    )

    @replaces(states, "_add_event")
    def add_event(original, execution, event_type, details=None):
        scope = SCOPE.get()
        with LOCK:
            event = original(execution, event_type, details)
            event["previousEventId"] = scope.last_event if scope else event["id"] - 1
            if scope:
                scope.last_event = event["id"]
        return event

    @replaces(states, "_run_map_items")
    def run_map_items(original, state, raw_input, execution, ctx):
        states._add_event(execution, "MapStateStarted")
        marked = IS_MAP_ITEM.set(True)
        try:
            result = original(state, raw_input, execution, ctx)
        except states._ExecutionError:
            states._add_event(execution, "MapStateFailed")
            raise
        finally:
            IS_MAP_ITEM.reset(marked)
        states._add_event(execution, "MapStateSucceeded")
        return result

    @replaces(states, "_run_sub_machine")
    def run_sub_machine(original, machine, start_at, data, execution, ctx):
        is_item = IS_MAP_ITEM.get()
        IS_MAP_ITEM.set(False)
        if not is_item:
            return original(machine, start_at, data, execution, ctx)
        details = {"name": ctx["State"]["Name"], "index": ctx["Map"]["Item"]["Index"]}
        states._add_event(
            execution, "MapIterationStarted", {"mapIterationStartedEventDetails": details}
        )
        result = original(machine, start_at, data, execution, ctx)
        states._add_event(
            execution, "MapIterationSucceeded", {"mapIterationSucceededEventDetails": details}
        )
        return result


# --- Step Functions: validation ------------------------------------------------------------------

NAME = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
ARN = re.compile(r"^arn:[^:]+:states:[^:]+:\d{12}:[A-Za-z]+:.+")
LARGEST_INPUT_BYTES = 256 * 1024
TYPES = {"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}


def refuse(code, message):
    return error_response_json(code, message, 400)


def problems_of(machine):
    named = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(named, dict) or machine.get("StartAt") not in named:
        yield "StartAt names no state"
        return
    for name, state in named.items():
        if state.get("Type") not in TYPES:
            yield f"{name} has no known Type"
        rules = [*state.get("Choices", []), *state.get("Catch", [])]
        targets = [state.get("Next"), state.get("Default"), *(rule.get("Next") for rule in rules)]
        yield from (f"{name} leads to {to}" for to in targets if to and to not in named)
        inner = state.get("ItemProcessor") or state.get("Iterator")
        for part in [*state.get("Branches", []), *([inner] if inner else [])]:
            yield from problems_of(part)


@patch("bad-requests-are-refused", states._create_state_machine, "name is required")
def bad_requests_are_refused():
    """Validates names, ARNs, definitions and inputs. Makes a repeated start or deletion harmless."""

    @replaces(states, "_create_state_machine")
    def create(original, data):
        if not NAME.match(data.get("name", "")):
            return refuse("InvalidName", f"Invalid name: {data.get('name')}")
        try:
            problems = list(problems_of(json.loads(data.get("definition", ""))))
        except ValueError as error:
            problems = [str(error)]
        if problems:
            return refuse("InvalidDefinition", "; ".join(problems))
        return original(data)

    @replaces(states, "_delete_state_machine")
    def delete(original, data):
        is_there = data.get("stateMachineArn") in states._state_machines
        return original(data) if is_there else json_response({})

    @replaces(states, "_start_execution")
    def start(original, data):
        name, text = data.get("name"), data.get("input", "{}")
        if name is not None and not NAME.match(name):
            return refuse("InvalidName", f"Invalid name: {name}")
        try:
            json.loads(text)
        except ValueError:
            return refuse("InvalidExecutionInput", "The input is not JSON.")
        if len(text.encode()) > LARGEST_INPUT_BYTES:
            return refuse("ValidationException", "The input is too long.")
        machine = states._resolve_state_machine_arn(data.get("stateMachineArn", ""))
        arn = f"{machine}:{name}".replace(":stateMachine:", ":execution:")
        earlier = states._executions.get(arn)
        if earlier and earlier["status"] == "RUNNING" and earlier["input"] == text:
            answer = {"executionArn": arn, "startDate": earlier["startDate"]}
            return json_response(answer)
        started = original(data)
        execution = states._executions.get(json.loads(started[2]).get("executionArn"))
        if execution:
            execution["events"][0]["previousEventId"] = 0
        return started

    @replaces(states, "_list_executions")
    def list_executions(original, data):
        arn = data.get("stateMachineArn")
        if arn and arn not in states._state_machines:
            return refuse("StateMachineDoesNotExist", f"State machine {arn} not found")
        return original(data)

    for operation, field in (
        ("_describe_execution", "executionArn"),
        ("_describe_state_machine", "stateMachineArn"),
    ):

        @replaces(states, operation)
        def described(original, data, field=field):
            if not ARN.match(data.get(field, "")):
                return refuse("InvalidArn", f"Invalid ARN: {data.get(field)}")
            return original(data)


# --- CloudFormation ----------------------------------------------------------------------------


@patch("alarms-may-compute", provisioners._cw_metric_alarm_record, "(metric math) is not supported")
def alarms_may_compute():
    """Takes an alarm over computed metrics, and keeps it as one over the first of them: here no metric changes its state."""

    @replaces(provisioners, "_cw_metric_alarm_record")
    def record(original, name, props):
        measured = [metric["MetricStat"] for metric in props.get("Metrics", []) if "MetricStat" in metric]
        if not measured:
            return original(name, props)
        own = {key: value for key, value in props.items() if key != "Metrics"}
        return original(name, {**own, **measured[0]["Metric"]})


def main():
    if sys.argv[1:] == ["--check"]:
        for name, is_needed, _apply in PATCHES:
            print(f"{name}: {'needed' if is_needed else 'no longer needed, remove it'}")
        sys.exit(0 if all(is_needed for _name, is_needed, _apply in PATCHES) else 1)
    for name, is_needed, apply in PATCHES:
        if is_needed:
            apply()
        print(f"patch {name}: {'applied' if is_needed else 'no longer needed, remove it'}", flush=True)
    from ministack import app

    @replaces(app, "_handle_health_request")
    def health(original, path, request_id):
        """Adds the applied patches to the health answer."""
        answer = original(path, request_id)
        if answer is None:
            return None
        status, headers, body = answer
        applied = [name for name, is_needed, _apply in PATCHES if is_needed]
        return status, headers, json.dumps({**json.loads(body), "patches": applied}).encode()

    app.main()


if __name__ == "__main__":
    main()
