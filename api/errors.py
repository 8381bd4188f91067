"""Errors of endpoints, beside REST framework's own exceptions."""

from collections.abc import Mapping, Sequence

from rest_framework.exceptions import APIException


class Invalid(APIException):
    """The request is invalid in one or more places; `errors` has each place and reason.

    Each has a detail, and a pointer into the body (RFC 6901) or the name of a query parameter.
    """

    status_code = 400

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        super().__init__("Some fields are not valid.")
        self.errors = [dict(error) for error in errors]


class PreconditionFailed(APIException):
    status_code = 412
    default_detail = "This resource has changed. Read it again, then repeat your change."


class Conflict(APIException):
    status_code = 409


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self, largest: int) -> None:
        super().__init__(f"Send at most {largest} bytes.")


class KeyUsedOtherwise(APIException):
    status_code = 422
    default_detail = "This Idempotency-Key was used for a different request."
