"""The commands of llmuses, a module each: ``HELP`` (one line), ``add_arguments(parser)``, ``run(args)`` (the exit code).

A new command is such a module and one line in the table of ``llmuses/cli.py``.
"""
