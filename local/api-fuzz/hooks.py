"""Hooks of schemathesis: existing ids, signed acknowledgements and a count of the answers."""

import atexit
import hashlib
import hmac
import json
import os
import random
import threading
import time
from collections import Counter, defaultdict

import requests
import schemathesis

with open(os.environ["API_FUZZ_SEED"], encoding="utf-8") as file:
    SEED = json.load(file)

# Path parameter of each operation and the seeded ids that it answers with a 2xx.
PATHS = {
    "getOrder": ("orderId", "paid"),
    "modifyOrder": ("orderId", "payable"),
    "cancelOrder": ("orderId", "cancellable"),
    "retryOrder": ("orderId", "failed"),
    "getPayment": ("paymentId", "payments"),
    "getProduct": ("productId", "products"),
    "changeProduct": ("productId", "products"),
    "receiveStock": ("productId", "products"),
}
# Payments name their order in the body.
BODIES = {"startPayment": "payable", "retryPayment": "unpaid"}

# Not the module's own generator, which belongs to Hypothesis.
RANDOM = random.Random(7)

answers = defaultdict(Counter)
lock = threading.Lock()


class Signature(requests.auth.AuthBase):
    """Signs a request as the gateway does."""

    def __call__(self, request):
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else bytes(body)
        at = str(int(time.time()))
        mac = hmac.new(os.environ["API_FUZZ_SECRET"].encode(), f"{at}.".encode() + raw, hashlib.sha256)
        request.headers["X-Gateway-Signature"] = f"t={at},v1={mac.hexdigest()}"
        return request


schemathesis.auth.set_from_requests(Signature()).apply_to(path="/payment/webhook")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives half of the calls an existing id. An id of its own answers hardly anything but 404."""
    # A wait of ten seconds in every fourth call would leave no time for other cases.
    if case.headers and str(case.headers.get("Prefer", "")).startswith("wait="):
        case.headers["Prefer"] = "wait=1"
    if RANDOM.random() < 0.5:
        return
    name = case.operation.definition.raw.get("operationId")
    if name in PATHS:
        parameter, kind = PATHS[name]
        case.path_parameters = {**(case.path_parameters or {}), parameter: RANDOM.choice(SEED[kind])}
    elif name in BODIES and isinstance(case.body, dict):
        body = {**case.body, "orderId": RANDOM.choice(SEED[BODIES[name]])}
        if RANDOM.random() < 0.5:
            # The generated total is never the order's.
            body.pop("expectedTotal", None)
            body["paymentMethod"] = {"token": RANDOM.choice(["tok_ok", "tok_async", "tok_declined"])}
        case.body = body
    elif name == "placeOrder" and isinstance(case.body, dict):
        case.body = {"items": [{"productId": RANDOM.choice(SEED["products"]), "quantity": 1}]}
        case.headers = {**(case.headers or {}), "X-Allow-Duplicate": "true"}
    if name == "modifyOrder" and RANDOM.random() < 0.5:
        case.body = {"items": [{"productId": RANDOM.choice(SEED["products"]), "quantity": 2}]}


@schemathesis.hook
def after_call(context, case, response):
    """Counts the answers of each operation by status; a probe by another method (OPTIONS) is none of them."""
    if case.method.upper() != case.operation.method.upper():
        return
    with lock:
        answers[case.operation.label][str(response.status_code)] += 1


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Accepts one 503: the saga's failure of an order, which the document promises with Retry-After."""
    is_promised = response.status_code == 503 and "retry-after" in response.headers
    return not (is_promised and failure.title == "Server error" and response.json().get("code") == "ORDER_FAILED")


@atexit.register
def write_answers():
    """Writes the counts for the start script, which judges them."""
    with open(os.environ["API_FUZZ_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump(answers, file)
