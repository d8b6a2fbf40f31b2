"""The app put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from flows.web import openapi, problems, shells
from flows.web.accounts import Accounts
from flows.web.api import (
    chapters,
    feeds,
    files,
    library,
    publish,
    queue,
    search,
    transcripts,
    uploads,
    users,
    webhooks,
)
from flows.web.authentication import Authentication
from flows.web.config import API, WebConfig
from flows.web.door import Door, HeadAsGet
from flows.web.fetching import Fetches
from flows.web.hub import Hub
from flows.web.indexing import Indexer
from flows.web.publishing import Publisher
from flows.web.shield import Shield
from flows.web.webhooks import Announcer

# Pages hold secrets beside what addresses say, and compression tells how alike two things are.
UNCOMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "text/html")
COMPRESSION = 6  # of 9


def create_app(config: WebConfig) -> FastAPI:
    """The app for an ASGI server."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.hub.attach()
        app.state.publisher = Publisher()
        with ExitStack() as company:
            if config.only is None:
                company.enter_context(Indexer(config.library))
                company.enter_context(Announcer(config))
            yield
            app.state.hub.close()
            await app.state.publisher.close()

    app = FastAPI(
        title="Episcribe",
        version="1",
        lifespan=life,
        docs_url=None,  # these pages would load from other sites
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        servers=[{"url": config.url}],
        root_path_in_servers=False,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
    )
    accounts = Accounts(config.store)
    app.state.config, app.state.hub, app.state.accounts = config, Hub(), accounts
    app.state.fetches, app.state.codes = Fetches(), set[str]()
    problems.install(app)
    for router in _routers():
        app.include_router(router, prefix=API)
    app.include_router(shells.router)
    openapi.install(app, config)
    # From the inside to the outside.
    app.add_middleware(GZipMiddleware, compresslevel=COMPRESSION, exclude_content_types=UNCOMPRESSED)
    app.add_middleware(HeadAsGet, router=app.router)
    app.add_middleware(Authentication, config=config, sessions=accounts.sessions, tokens=accounts.tokens)
    app.add_middleware(Door, config=config)
    app.add_middleware(Shield, secure=config.secure)
    return app


def _routers() -> list[APIRouter]:
    return [
        users.router,
        library.router,
        search.router,
        files.router,
        transcripts.router,
        chapters.router,
        publish.router,
        webhooks.router,
        queue.router,
        uploads.router,
        feeds.router,
    ]
