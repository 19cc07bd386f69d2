"""The same model on the same rows, asked by llmuses and by lm-evaluation-harness: ``make parity``.

``rows`` lays the rows out as the hub has them, ``harness`` asks lm-evaluation-harness (in an environment of its own),
``product`` asks llmuses, ``compare`` compares prompts, log-probabilities and choices, ``answers`` what both read out of
written answers. Everything that a model computed is kept, so that a second call asks only what is missing.
"""
