"""Answers to the sample set of IFEval that follow all of their instructions, by the row's key."""

from __future__ import annotations

FOLLOWING = {
    "1": "Bread begins with flour and water and yeast. The dough rests until it has doubled. It is shaped and baked until the crust is brown.",
    "2": "Dear [neighbour]\n\nOur cat [name] has been missing since [day]. Please call us if you see her.\n\nP.S. She likes tuna.",
    "3": "* Its juice gives a salad some bite.\n* A little juice keeps a cut apple from turning brown.\n* The peel flavours a cake.",
    "4": "A tomato grows from the flower of its plant and holds the seeds. My answer is yes.",
    "5": "<<The Last Lamp>>\nEvery evening the keeper climbed the stairs and lit the lamp.\n\n***\n\nOne night the lamp stayed dark, and the whole village rowed out with lanterns.",
    "6": "the light of the sun holds every colour of the rainbow. the air scatters the blue part of it more than the red part.",
    "7": "EVERY UMBRELLA AT HALF PRICE THIS WEEK ONLY",
    "8": "Two wheels and a smile.\n******\nThe road begins at our door.",
    "9": '```json\n["spring", "summer", "autumn", "winter"]\n```',
    "10": "What is a glacier?\n\nA glacier is a body of ice that moves slowly under its own weight. Is there anything else I can help with?",
    "11": '"Give it *enough light* and *a little water* once its soil is dry."',
    "12": "SECTION 1\nOn Saturday we see the old town and the river.\n\nSECTION 2\nOn Sunday we visit the market.",
    "13": "The sea covers most of the planet and holds nearly all of its water.\n\nWaves are made by the wind and may cross a whole ocean.",
}

IGNORING = "ich mag keine Regeln, rain oder wet, sie sind mir zu viel und zu streng, " * 12
"""An answer in German that follows none of them, loosely either."""
