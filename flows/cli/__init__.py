"""The command line: one module a group of commands, each with a `register(app)` that `main` calls.

Heavy modules are imported inside commands, so that `--help` answers at once. Options that commands share are in
`options`. Imports everything, imported by nobody.
"""
