"""The token endpoint: OAuth 2.0 client credentials, as clients of any make send them."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import Form, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.types import Message

from app.dependencies import RuntimeDep, client_address
from app.errors import TooMany
from app.keys import service
from app.keys.oauth import (
    CLIENT_SCHEME,
    NO_CACHE,
    SCOPE_PATTERN,
    InvalidClient,
    InvalidScope,
    InvalidTokenRequest,
    UnsupportedGrantType,
    read_request,
)
from app.keys.schemas import Token
from app.problems import responses
from app.ratelimit import check_rate
from app.rates import ADDRESS_POLICY
from app.routing import ApiRoute, Handler, api_router

MOST_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"


class TokenRoute(ApiRoute):
    """Judges the form itself, so that every refusal has the protocol's shape; the declared fields are its document."""

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != _FORM:
                raise InvalidTokenRequest(f"Send the parameters as {_FORM}.")
            body = await request.body()

            async def again() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            request.state.wanted = read_request(_fields(body), request.headers.get("authorization", ""))
            try:
                return await inner(Request(request.scope, again))
            except RequestValidationError:
                raise InvalidTokenRequest("A parameter is missing or too long.") from None

        return handle


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidTokenRequest(f"The parameters cannot be read as {_FORM}.") from None


router = api_router("", "keys")
router.route_class = TokenRoute


@router.post(
    "/oauth/token",
    operation_id="create_access_token",
    summary="Exchange a key for an access token (client credentials)",
    openapi_extra={"security": [{CLIENT_SCHEME: []}, {}]},
    responses=responses(InvalidTokenRequest, UnsupportedGrantType, InvalidScope, InvalidClient, TooMany),
)
async def create_access_token(
    request: Request,
    response: Response,
    runtime: RuntimeDep,
    grant_type: Annotated[Literal["client_credentials"], Form()],  # noqa: ARG001  read by the route
    client_id: Annotated[str, Form(max_length=100, description="The key's id.", examples=["key_…"])] = "",  # noqa: ARG001
    client_secret: Annotated[  # noqa: ARG001
        str, Form(max_length=200, description="The key itself.", examples=["tsk_…"])
    ] = "",
    scope: Annotated[  # noqa: ARG001
        str,
        Form(
            max_length=500,
            description="Separated by spaces; empty: all the key has.",
            json_schema_extra={"pattern": f"^({SCOPE_PATTERN})?$"},  # judged with the rest of the form
        ),
    ] = "",
) -> Token:
    """The client shows its key's id and the key by HTTP Basic or in the form. The token works for an hour, less when
    its key ends sooner, and ends when the key is revoked.
    """
    await check_rate(runtime, request, ADDRESS_POLICY, client_address(request))
    secret, granted, life = await service.issue_token(runtime, request.state.wanted)
    response.headers.update(NO_CACHE)
    return Token(access_token=secret, expires_in=int(life.total_seconds()), scope=" ".join(granted))
