"""Each person's own recording of a conversation: where in the mix it is heard, and whose sound it holds."""
