"""Backups of a folder of runs: what is kept, archives, copies on a hub, and the way back.

``contents`` says what of the folder is kept and where each file ends, ``archive`` writes and checks one file that holds it
all, ``mirror`` keeps a copy on a hub (``standing`` remembers how it stands), ``placing`` puts files into an empty folder.
"""
