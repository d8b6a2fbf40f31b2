"""From the web to this machine: safe addresses, requests with retries, resumed downloads, what some bytes are.

Addresses come from strangers: only http and https, only public hosts (`addresses`, `network`, and `proxies` where
that can't be had), within limits of time and size (`http`, `download`). `access` says who may see secrets, `ranges`
whether a file is whole, `sniff` what it is. `extraction` is the one door to yt-dlp, which
`extracting` asks in a process of its own. Knows nothing of feeds or media.
"""
