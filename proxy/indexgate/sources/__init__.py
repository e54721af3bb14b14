"""One foreign service a file, each giving facts about projects."""
