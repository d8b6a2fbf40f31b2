"""Shows that are followed: settings, polling, the store of episodes, leases on them, and workers.

`settings` is episcribe.toml, `poll` the scheduled flow, `feed_reading` and `plan` what it finds, `store` and
`tables` what is remembered, `leases` who works on what, `serve` and `worker` the processes. Imports
`flows.steps`, never `flows.cli`.
"""
