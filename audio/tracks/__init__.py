"""Each person's own recording of a conversation: where it belongs on the time line of the mix, and whose sound it holds."""
