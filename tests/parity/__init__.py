"""The same model on the same rows, asked by llmuses and by lm-evaluation-harness: ``make parity``.

``rows`` lays the rows out as the hub has them; ``product`` asks llmuses; ``peer`` asks lm-evaluation-harness, by
``harness`` and ``harness_answers``, which run in its own environment; ``compare`` compares prompts, log-probabilities and
choices, ``answers`` what both read out of written answers. What a model computed is kept, so that a second call asks only
what is missing.
"""
