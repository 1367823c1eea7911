"""Signs Schemathesis in, keeps it from taking its own account away, and says why well-formed data may be refused."""

import os
import re

import requests
import schemathesis

EMAIL = os.environ.get("FUZZ_EMAIL")
PASSWORD = os.environ.get("FUZZ_PASSWORD")

# The accounts that the run stands on: the first ones made.
OWN = {"1", "2"}

# Why data that fits the document may be refused all the same, each as the problem says it: what JSON Schema has no words
# for. A refusal for another reason means that the document leaves something out.
REASONS = [
    # What only the server can make, or knows.
    "not a cursor of this query",
    "there is no such",
    "is not the present password",
    "is the category itself or stands below it",
    # One field next to another, or next to the clock.
    "cursor and page exclude each other",
    "page × limit",
    # By relevance 1,000 articles are listed, by date 10,000.
    "a whole number from 1 to 1000 is wanted",
    "goes with a body alone",
    # A focal point, which a variant that is no crop does not have.
    "for crops alone",
    "stands in the path",
    "must be true: a revoked key cannot be taken back",
    "hours are kept for",
    "future",
    "before",
    "points",
    # Each entry of a list once.
    "stands here twice",
    "is there already",
    "is the same word as",
    # Lists of values that grow stand in words, so that a client does not break on a new one.
    "known are",
    "one of .* is wanted",
    "an entry of the list is empty",
    "at most [0-9]+ entries",
    # Days that are in no calendar, names of zones.
    "a time with an offset",
    "a date",
    "must be the name of a time zone",
    # What a letter is, is for Unicode to say.
    "must have a character that can be seen",
    "must have a letter, a character or a digit",
    "must not be blank",
    "must not have line breaks",
    "a slug ",
    "must be an e-mail address",
    # For JSON Schema `1.0` is a whole number, for the server it is not.
    "invalid type: floating point",
    # In free-form data, at any depth.
    "must not have NUL characters",
    # Sizes in bytes, depth, and all entries together.
    "must have at most",
    "three levels",
]
REASON = re.compile("|".join(REASONS))
# Refusals without a place: what is no picture, what is not the present version.
CODES = {"unsupported_media_type", "version_mismatch", "too_large"}

if EMAIL:

    @schemathesis.auth(refresh_interval=120)
    class SignedIn:
        def get(self, case, context):
            answer = requests.post(
                f"{os.environ['FUZZ_URL']}/api/v1/auth/login",
                json={"email": EMAIL, "password": PASSWORD},
                timeout=10,
            )
            answer.raise_for_status()
            return answer.json()["access_token"]

        def set(self, case, data, context):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changing or deleting one of its own accounts would end the sign-in in the middle of the run."""
    parameters = case.path_parameters or {}
    if case.path == "/api/v1/users/{id}" and case.method.upper() != "GET" and str(parameters.get("id")).strip() in OWN:
        case.path_parameters = {**parameters, "id": 9_007_199_254_740_991}


@schemathesis.check
def refusals(context, response, case):
    """Data that fits the document is refused for a listed reason alone."""
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive or response.status_code not in (400, 412, 413, 415, 422):
        return
    problem = response.json()
    if problem["code"] in CODES:
        return
    strange = [error for error in problem["errors"] if not REASON.search(error["message"])]
    assert problem["errors"] and not strange, f"refused for a reason that the document does not tell: {strange or problem}"
