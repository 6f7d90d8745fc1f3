"""The page behind each problem's `type`: what the code means."""

from collections.abc import Iterator

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.errors import AppError, NotFound
from app.problems import responses

router = APIRouter(prefix="/problems", tags=["operations"])


class ProblemPage(BaseModel):
    code: str = Field(examples=["mapping-not-confirmed"])
    status: int = Field(examples=[409])
    title: str
    url: str = Field(examples=["/problems/mapping-not-confirmed"])


class ProblemPages(BaseModel):
    """Every code that a problem document can carry."""

    data: list[ProblemPage]


@router.get("", operation_id="list_problems", summary="List the problem codes")
async def list_problems() -> ProblemPages:
    return ProblemPages(data=sorted((_page(each) for each in kinds()), key=lambda page: (page.status, page.code)))


@router.get(
    "/{code}", operation_id="get_problem", summary="Say what a problem code means", responses=responses(NotFound)
)
async def get_problem(code: str) -> ProblemPage:
    for each in kinds():
        if each.kind() == code:
            return _page(each)
    raise NotFound("No problem has this code.")


def kinds(root: type[AppError] = AppError) -> Iterator[type[AppError]]:
    """All errors that the service can answer with."""
    for each in root.__subclasses__():
        yield each
        yield from kinds(each)


def _page(kind: type[AppError]) -> ProblemPage:
    return ProblemPage(code=kind.kind(), status=kind.status, title=kind.title, url=f"/problems/{kind.kind()}")
