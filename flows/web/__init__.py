"""The app in the browser: pages, the API under /api/v1 that they and other programs use, who may do what.

Its door is `app.create_app`; `serving` runs it. The app holds nothing that must last in memory: what is to be
processed is in the store, what was published or corrected in the library.
"""
