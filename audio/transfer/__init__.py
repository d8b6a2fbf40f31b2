"""From the web to this machine: safe addresses, requests with retries, resumed downloads, what some bytes are.

Addresses come from strangers: only http and https, only public hosts (`addresses`, `network`), within limits of
time and size (`http`, `download`). Knows nothing of feeds or media.
"""
