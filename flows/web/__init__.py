"""Pages served from here, as yet to the browser of this machine: the edit page."""
