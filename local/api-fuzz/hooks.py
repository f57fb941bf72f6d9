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
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

with open(os.environ["API_FUZZ_SEED"], encoding="utf-8") as file:
    SEED = json.load(file)

# Path parameter of each operation and the seeded ids that it answers with a 2xx.
PATHS = {
    "getOrder": ("orderId", "paid"),
    "modifyOrder": ("orderId", "modifiable"),
    "cancelOrder": ("orderId", "cancellable"),
    "retryOrder": ("orderId", "failed"),
    "getPayment": ("paymentId", "payments"),
    "getProduct": ("productId", "products"),
    "changeProduct": ("productId", "products"),
    "receiveStock": ("productId", "products"),
}
# Payments name their order in the body.
BODIES = {"startPayment": "payable", "retryPayment": "unpaid"}
# Lists are paged.
CURSORS = {"listOrders": "nextOrders", "listProducts": "nextProducts"}

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


class Token(requests.auth.AuthBase):
    """Sends the user's access token."""

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {os.environ['API_FUZZ_TOKEN']}"
        return request


def asks_for(scheme):
    """Filter of the operations that the document secures with this scheme."""

    def filter_operation(context):
        return any(scheme in need for need in context.operation.definition.raw["security"])

    return filter_operation


# Not a header of every call: schemathesis would take the token for the webhook's credential and never leave it out.
schemathesis.auth.set_from_requests(Token()).apply_to(asks_for("user"))
schemathesis.auth.set_from_requests(Signature()).apply_to(asks_for("signature"))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes half of the calls ones that this shop can answer. Others get hardly anything but 404, 409, 412 and 422."""
    meta = case.meta
    # The examples are the same in every call; they name what this shop does not have.
    is_for_shop = meta.phase.name is TestPhase.EXAMPLES or RANDOM.random() < 0.5
    mend_headers(case.headers)
    name = case.operation.definition.raw["operationId"]
    # No other text is a cursor, and no schema can say so.
    if name in CURSORS and "cursor" in case.query and not meta.is_negative_at(ParameterLocation.QUERY):
        case.query["cursor"] = SEED[CURSORS[name]]
    if not is_for_shop:
        return
    if name in PATHS and not meta.is_negative_at(ParameterLocation.PATH):
        parameter, kind = PATHS[name]
        case.path_parameters[parameter] = RANDOM.choice(SEED[kind])
    if not meta.is_negative_at(ParameterLocation.HEADER):
        use_shop_in_headers(case.headers)
    if meta.generation.mode.is_positive:
        use_shop_in_body(name, case)


def mend_headers(headers):
    """Bounds a wait, and gives an entity tag its quotes."""
    # A wait of ten seconds in every fourth call would leave no time for other cases.
    if str(headers.get("Prefer", "")).startswith("wait="):
        headers["Prefer"] = "wait=1"
    # Schemathesis 4.32 loses the quotes of a header's pattern in its coverage phase.
    if headers.get("If-Match") == "0":
        headers["If-Match"] = '"0"'


def use_shop_in_headers(headers):
    """Takes a new key, so that the call is no repetition, and any version."""
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"fuzz-{RANDOM.getrandbits(64)}"
    if "If-Match" in headers:
        headers["If-Match"] = "*"


def use_shop_in_body(name, case):
    """Names a product or an order of the shop."""
    product = RANDOM.choice(SEED["products"])
    if name in BODIES:
        case.body["orderId"] = RANDOM.choice(SEED[BODIES[name]])
        if RANDOM.random() < 0.5:
            # The generated total is never the order's.
            case.body.pop("expectedTotal", None)
            case.body["paymentMethod"] = {"token": RANDOM.choice(["tok_ok", "tok_async", "tok_declined"])}
    elif name == "placeOrder":
        case.body = {"items": [{"productId": product, "quantity": 1}]}
        case.headers["X-Allow-Duplicate"] = "true"
    elif name == "modifyOrder" and RANDOM.random() < 0.5:
        case.body = {"items": [{"productId": product, "quantity": 2}]}


@schemathesis.hook
def after_call(context, case, response):
    """Counts the answers of each operation by status; a probe by another method (OPTIONS) is none of them."""
    if case.method.upper() != case.operation.method.upper():
        return
    with lock:
        answers[case.operation.label][str(response.status_code)] += 1


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Accepts the repetition of a call, which is answered before its other headers are looked at."""
    is_repetition = response.headers.get("idempotent-replayed") == ["true"]
    return not (is_repetition and isinstance(failure, AcceptedNegativeData))


@schemathesis.deserializer("text/html")
def read_page(context, response):
    """Reads the page of the documentation as the text that the document says it is."""
    return response.text


@atexit.register
def write_answers():
    """Writes the counts for the start script, which judges them."""
    with open(os.environ["API_FUZZ_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump(answers, file)
