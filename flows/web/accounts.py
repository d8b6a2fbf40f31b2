"""All that the app knows of its users."""

from __future__ import annotations

from fastapi import Request

from flows.schedule.store import Store
from flows.web.sessions import Sessions, Tokens
from flows.web.throttle import Throttle
from flows.web.users import Users


class Accounts:
    """Users of a store, and what lets them in."""

    def __init__(self, store: Store) -> None:
        self.users, self.sessions = Users(store), Sessions(store)
        self.tokens, self.throttle = Tokens(store), Throttle(store)

    def forget(self) -> None:
        """Ask the store again who may come in, since users have changed."""
        self.sessions.forget()
        self.tokens.forget()


def accounts_of(request: Request) -> Accounts:
    """Those of the app that answers this request."""
    accounts: Accounts = request.app.state.accounts
    return accounts
