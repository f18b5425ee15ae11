"""The Discord stage: one feature, one file. bot.py puts them together; run.py keeps it running."""
