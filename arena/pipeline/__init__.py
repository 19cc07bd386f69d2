"""The arena as one command: questions to models, answers to a judge, battles, ratings. ``run.py`` holds it together."""
