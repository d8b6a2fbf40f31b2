"""What goes from a library to the public: links in the show's own feed, and a static site.

Reads the library; is read by `flows` alone.
"""
