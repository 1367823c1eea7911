"""The main job of a client, with a client made from the OpenAPI document: sign in, upload a picture, write an article,
publish it, list everything, search, count a view, read it back."""

import base64
import io
import os
import time
import uuid
from typing import TypeVar

from broadsheet_client import AuthenticatedClient, Client
from broadsheet_client.api.articles import create_article, get_article_by_slug, list_articles, update_article
from broadsheet_client.api.auth import sign_in
from broadsheet_client.api.images import upload_image
from broadsheet_client.api.search import search_articles
from broadsheet_client.api.views import count_view
from broadsheet_client.models import (
    ArticleCreate,
    ArticlePatch,
    GetArticleBySlugBodyFormat,
    Login,
    Problem,
    UploadForm,
)
from broadsheet_client.types import UNSET, File, Unset

URL = os.environ.get("BROADSHEET_URL", "http://localhost:8080")
EMAIL = os.environ.get("BROADSHEET_EMAIL", "admin@example.com")
PASSWORD = os.environ.get("BROADSHEET_PASSWORD", "")

T = TypeVar("T")

# A picture of one pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def held(answer: T | Problem | None) -> T:
    """What the answer holds, or the problem as an error: each has a stable code and names every wrong field."""
    if isinstance(answer, Problem):
        fields = [f"{error.pointer or error.parameter}: {error.message}" for error in answer.errors]
        raise SystemExit(f"{answer.status} {answer.code} {'; '.join(fields)}")
    assert answer is not None
    return answer


def main() -> None:
    # A token is good for 15 minutes; `refresh_token` gets the next one.
    tokens = held(sign_in.sync(client=Client(URL), body=Login(email=EMAIL, password=PASSWORD)))
    api = AuthenticatedClient(URL, token=tokens.access_token)

    picture = File(io.BytesIO(base64.b64decode(PNG)), "cover.png", "image/png")
    image = held(upload_image.sync(client=api, body=UploadForm(file=picture, alt="封面"))).data

    # A draft first. A word of its own, to find it again.
    word = f"tq{time.time_ns():x}"
    draft = held(
        create_article.sync(
            client=api,
            body=ArticleCreate(
                title=f"小米14评测 {word}",
                body=f'**续航。**比上一代多了两个小时。\n\n![正面](image:{image.id} "图一")',
                tags=["小米"],
                cover_image_id=image.id,
            ),
        )
    ).data
    assert draft.status == "draft" and draft.cover is not None and draft.cover.id == image.id

    # Publishing is a change, and a change names the version that it was made from.
    version = f'"{draft.version}"'
    publish = ArticlePatch(status="published")
    article = held(update_article.sync(draft.id, client=api, if_match=version, body=publish)).data
    assert article.status == "published" and article.version == draft.version + 1

    # The same change once more is refused: somebody else came first.
    stale = update_article.sync(draft.id, client=api, if_match=version, body=publish)
    assert isinstance(stale, Problem) and stale.code == "version_mismatch"
    assert stale.current_version == article.version

    # Every article, page by page, each exactly once.
    ids: list[int] = []
    cursor: str | None | Unset = UNSET
    while cursor is not None:
        page = held(list_articles.sync(client=api, limit=5, cursor=cursor))
        ids += [summary.id for summary in page.data]
        cursor = page.meta.next_cursor
    assert len(ids) == len(set(ids)) and article.id in ids

    # It is found as soon as it is written, with what matched marked.
    found = held(search_articles.sync(client=api, q=word))
    assert found.meta.total == 1 and found.data[0].id == article.id

    # One view of one visitor, then the article as an app shows it: blocks, no web view needed.
    view = held(count_view.sync(article.id, client=api, x_visitor_id=str(uuid.uuid4()))).data
    assert view.counted and view.view_count == 1
    read = held(get_article_by_slug.sync(article.slug, client=api, body_format=GetArticleBySlugBodyFormat.BLOCKS)).data
    assert not isinstance(read.body, Unset) and not isinstance(read.body.blocks, Unset)
    kinds = ", ".join(block.type_ for block in read.body.blocks)
    assert read.view_count == 1 and kinds == "paragraph, image", kinds
    print(f"Python: {len(ids)} articles listed, {read.slug} found, viewed and read ({kinds})")


if __name__ == "__main__":
    main()
