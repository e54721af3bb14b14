"""What goes wrong between the gate and BigQuery, in words: what may pass, and what needs a person.

What may pass by itself is `SourceFailed`; what somebody has to set, grant or pay is `GateError`.
Reasons are those of BigQuery's error table, which the client gives next to the HTTP status.
"""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

from indexgate.errors import GateError
from indexgate.sources.protocol import SourceFailed

SOURCE = "bigquery"

_LOG_IN = (
    "run `gcloud auth application-default login`, or set `GOOGLE_APPLICATION_CREDENTIALS` to the "
    "path of a key file"
)


@contextmanager
def told(project: str | None) -> Iterator[None]:
    """Raise what Google's libraries raise as SourceFailed or GateError. *project* pays.

    Raises GateError at once when those libraries are not there.
    """
    must_be_installed()
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except (SourceFailed, GateError):
        raise
    except (GoogleAPIError, GoogleAuthError, RequestException, futures.TimeoutError) as error:
        raise explained(error, project) from error
    except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
        # The client takes its answers apart without looking; a stranger's page fails like this.
        raise SourceFailed(SOURCE, "garbage", "answered what is not BigQuery's") from error


def must_be_installed() -> None:
    """Raise GateError when the extra is missing: for where the source is put together, too."""
    try:
        import google.cloud.bigquery  # noqa: F401
    except ImportError as error:
        raise GateError(
            "bigquery-extra",
            "BigQuery needs the package `google-cloud-bigquery`, which is not installed",
            "run `pip install 'indexgate[bigquery]'` in the gate's environment",
        ) from error


def explained(error: Exception, project: str | None) -> SourceFailed | GateError:
    """Return what to tell a person about *error*, which Google's libraries raised."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError

    if isinstance(error, RetryError) and isinstance(error.cause, Exception):
        return explained(error.cause, project)
    if isinstance(error, DefaultCredentialsError):
        return GateError(
            "bigquery-credentials", "No Google credentials were found for BigQuery", _LOG_IN
        )
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return _not_let_in()
    if isinstance(error, GoogleAPICallError):
        return of_reason(_reason(error), error.code, error.message or "", project)
    return _of_connection(error)


def of_reason(
    reason: str, status: int | None, message: str, project: str | None
) -> SourceFailed | GateError:
    """Return what to tell about an answer of BigQuery's with an error *reason*, or a failed job."""
    if status == 401 or reason == "authError":
        return _not_let_in()
    if reason == "accessDenied":
        return GateError(
            "bigquery-rights",
            f"The Google credentials may not run queries in the project `{project}`",
            "give them the role BigQuery Job User there, or set another `bigquery-project`",
        )
    for known, (kind, words) in _REASONS.items():
        if reason == known or (not reason and status == known):
            return SourceFailed(SOURCE, kind, words, status=status)
    if reason == "invalidQuery" and "Unrecognized name" in message:
        return SourceFailed(SOURCE, "schema", "has a table without a column that is asked for")
    shown = f"{status or 'an error'}" + (f" ({_ascii(reason)})" if reason else "")
    return SourceFailed(SOURCE, "status", f"answered {shown}", status=status)


_BUSY = ("status", "is too busy to answer")
_REASONS: dict[str | int, tuple[str, str]] = {
    "quotaExceeded": ("quota", "has no bytes left for the project that pays, this month or day"),
    "bytesBilledLimitExceeded": ("quota", "would have billed more than it had said, and stopped"),
    "rateLimitExceeded": ("status", "was asked too often"),
    "jobRateLimitExceeded": ("status", "was asked too often"),
    429: ("status", "was asked too often"),
    "backendError": _BUSY,
    "internalError": _BUSY,
    "jobBackendError": _BUSY,
    "jobInternalError": _BUSY,
    "badGateway": _BUSY,
    500: _BUSY,
    502: _BUSY,
    503: _BUSY,
    504: _BUSY,
    "notFound": ("missing", "does not have the table that is asked for"),
    "stopped": ("timeout", "stopped the query before it had ended"),
    "resourcesExceeded": ("too-large", "had too little room for the query"),
}


def _of_connection(error: Exception) -> SourceFailed:
    from requests import exceptions

    cause = error.__cause__ or error.args[0] if error.args else error
    if isinstance(error, exceptions.SSLError) or isinstance(cause, exceptions.SSLError):
        words = "has a certificate that is not trusted"
        return SourceFailed(SOURCE, "certificate", words)
    if isinstance(error, exceptions.Timeout | futures.TimeoutError):
        return SourceFailed(SOURCE, "timeout", "did not answer in time")
    if isinstance(error, exceptions.ChunkedEncodingError | exceptions.ContentDecodingError):
        return SourceFailed(SOURCE, "cut-off", "broke off in the middle of the answer")
    if isinstance(error, exceptions.JSONDecodeError):
        return SourceFailed(SOURCE, "garbage", "answered what is not BigQuery's")
    return SourceFailed(SOURCE, "refused", "could not be reached")


def _not_let_in() -> GateError:
    return GateError(
        "bigquery-credentials", "BigQuery did not accept the Google credentials", _LOG_IN
    )


def _reason(error: Exception) -> str:
    errors = getattr(error, "errors", None) or [{}]
    first = errors[0]
    return str(first.get("reason") or "") if isinstance(first, dict) else ""


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()[:80]
