"""Work on finished episodes that takes more than one room: names, voices, clips, publishing. Knows no Prefect."""
