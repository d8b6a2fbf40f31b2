"""`python -m flows.cli`: the command line without the script that installation makes."""

from flows.cli.main import main

main()
