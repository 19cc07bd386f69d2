"""The ways in which a written answer announces the option it chooses: the patterns behind ``choice.py``.

Texts are folded first (``reading.fold``), so one form of each sign is enough. Every repetition is bounded and possessive:
the time grows with the length of the text and not faster, whatever a model writes.
"""

from __future__ import annotations

import re

OPEN = re.compile(
    r"(?:[\s*_`\"'(\[{}$:]|<(?![A-Z]>)\w{1,10}>|<(?=[A-Z]>)|\\(?:boxed|text(?:bf|rm|it)?|math(?:bf|rm|it|sf)|[(\[]))"
    r"{0,24}+"
)
"""What may stand between an announcement and a letter: emphasis, quotes, brackets, tags, LaTeX."""

_LINK = (
    r"(?:(?:is|'s|was)(?!\w)|(?:would|should|must|has\s+to|will|can\s+only|seems\s+to|appears\s+to)\s+be(?!\w)"
    r"|->|[:=>→]|\]\s{0,2}+:?|[-–—](?=\s))"
    r"(?:[\s*_]{0,4}+[:=])?"
    r"(?:\s{1,3}+(?:therefore|thus|then|clearly|indeed|likely|probably|definitely|simply|actually|most\s+likely|still),?)?"
    r"(?:\s{1,3}+(?:the\s+)?(?:option|choice|letter|answer|statement)(?!\w)(?:\s+is(?!\w))?)?"
)

ANNOUNCED = re.compile(
    # "The correct answer to the question is", "**Answer:**", <answer>, {"answer": , "Final choice -"
    r"(?<![/A-Za-z0-9])(?P<noun>(?:answer|ans(?:\.(?=\s))?|option|choice|solution|letter|selection|pick"
    r"|(?:correct|right|best)\s+(?:one|statement))"
    r"(?!\w)[\s*_\"'`]{0,8}+(?:(?:to|for|in|of|here|then|,)(?![a-z])[^.\n:]{0,80}?[\s*_,]{1,4}+)?" + _LINK + ")"
    # "Answer (B)", "the correct option **B**"; not "Answer (A) is", "Option (A)", which only speak of one
    r"|(?P<bracketed>(?<![/A-Za-z0-9])(?:(?:answer|ans)(?=[*_]{0,3}+\s{0,2}+[(\[*`]{1,4}+[A-Z][)\]*`]{1,6}+"
    r"(?!\s{0,3}+:|\s{1,3}+(?!(?:because|since|as|for|due)\s)(?-i:[a-z])))"
    r"|(?:correct|right|best|final|my)\s{1,3}+(?:option|choice|selection|pick|letter|solution)"
    r"(?=[*_]{0,3}+\s{0,2}+[(\[*`]{1,4}+[A-Z](?!\w))))"
    # "Answer B.", "Ans. B", "Conclusion: B", on a line of its own "Correct: B"
    r"|(?P<bare>\b(?:answer|letter|ans\.?)(?=\s[A-Z](?!\w))|\bconclusion[\s*_]{0,4}+:|(?:^|\n)[\s*_#>-]{0,8}+(?:correct[\s*_]{0,4}+|答\s?):)"
    # "I would go with", "I choose"
    r"|(?P<pick>\b(?:choose|chose|pick|select|opt\s+for|go(?:ing)?\s+with)\b"
    r"(?:\s{1,3}+(?:the\s+)?(?:option|choice|letter|answer)(?!\w))?)"
    # "So it must be", "Hence option"
    r"|(?P<so>(?:^|[.,;:\n]\s{0,3}+)(?:so|thus|hence|therefore|consequently)\b,?"
    r"(?:\s{1,3}+(?:it(?:'s|\s+is|\s+must\s+be)|that\s+leaves|we\s+(?:get|have)))?"
    r"(?:\s{1,3}+(?:option|choice))?(?!\w))"
    # "答案是", "正确选项为", "答案：选"
    r"|(?P<zh>(?:答案|(?<![A-Z])(?<![A-Z]\s)选项|选择|结论)[\s*_\"']{0,8}+(?:应该?|应当|就|只能|如下)?"
    r"(?:是|为|选择?(?!项)|[:=]|\]\s?:?)\s{0,3}+:?\s{0,3}+(?:选项|选)?"
    r"|正确(?:的)?(?:答案|选项|说法|一项)?(?:应该?)?(?:是|为|:)(?:选项)?)"
    # "答案B"
    r"|(?P<zh_bare>答案(?=\s?[A-Z](?![A-Za-z0-9])))"
    # "故选", "我选择"
    r"|(?P<zh_pick>(?<![不没别勿首挑筛候备])选(?:择)?(?:选项|答案)?)"
    # "因此是"
    r"|(?P<zh_so>(?:因此|所以|故|而)[,\s]{0,3}+(?:是|为)(?:选项)?)",
    re.IGNORECASE,
)

STRICT = frozenset({"bare", "so", "zh_bare", "zh_pick", "zh_so"})
"""Announcements after which a letter has to stand alone: "So A dog barks" announces nothing."""

NOUNS = frozenset({"noun", "bracketed", "bare", "zh", "zh_bare"})
"""Announcements by a word such as "answer", which an adjective before it can make another one."""

HINTED = re.compile(
    # "It must be B", "I would say B", "That leaves B", "which is option B", "(option B)"
    r"\b(?:it(?:'s|\s{1,3}+(?:is|must\s+be|has\s+to\s+be|should\s+be))|that\s+leaves(?:\s+(?:us\s+with|only))?"
    r"|this\s+is(?=\s+(?:option|choice))|(?:my|best)\s+guess\s+(?:is|would\s+be|:)|by\s+elimination,?|I(?:\s+would|'d)\s+(?:say|answer|guess)|corresponds\s+to|(?:matches|which\s+is)(?=\s+(?:option|choice)))"
    r"(?:\s{1,3}+(?:option|choice))?(?!\w)"
    r"|\((?:option|choice)(?=\s)|(?:^|[.!\n]\s{0,3}+)(?:option|choice)(?=\s)"
    # "Result: B"
    r"|(?:^|\n)[\s*_#>-]{0,8}+(?:final|result|selected|verdict|response)[\s*_]{0,4}+:|(?:^|\n)\s{0,3}+ans\)"
    # "The answer might be B", "Sure! B.", "Probably B"
    r"|\banswer\s{1,3}+(?:might|may|could)\s{1,3}+be(?!\w)"
    r"|^\s{0,3}+(?:sure|of\s+course)[!,.:]|(?:^|[.!\n]\s{0,3}+)(?:definitely|probably|certainly|clearly)(?!\w)"
    r"|符合题意的(?:选项)?是"
    # "我认为是B", "应该是B", "不是A，是B"
    r"|(?:我认为|我觉得|应该|应当)(?:就)?是(?:选项)?|(?:^|(?<=[,;。\n]))\s{0,3}+(?:那?就)?是(?=\s?[A-Z])|不是\s?[A-Z]\s?(?:选项|项)?[,;]\s?而?是(?:选项)?",
    re.IGNORECASE,
)
"""Weaker announcements: taken where one ends the answer, all say the same and nothing stronger is said."""

NOT_MEANT = re.compile(
    r"(?:\b(?:not|never|cannot)\s{1,3}+(?:the\s+)?|n't\s{1,3}+(?:(?:think|believe|say|mean)\s{1,3}+(?:that\s{1,3}+)?(?:the\s{1,3}+)?)?|不能?|不应该?"
    r"|(?:\b(?:if|whether|unless|suppose|supposing|assuming|when|in\s+case|doubt)\s+"
    r"(?:that\s+)?(?:(?:the|your|my)\s+)?|如果|假如|若|不认为|不觉得)"
    r"(?:(?:correct|right|best|final)\s+)?(?:正确)?)$",
    re.IGNORECASE,
)
"""What before an announcement takes it back: "I would not choose", "if the answer is"."""

_OTHER = (
    r"(?:\b(?:wrong|incorrect|each|every|any|per|by|possible|candidate|potential|remaining|(?<!my\s)first|(?<!only\s)one|other|second|third|next|alternative|tempting|distract(?:or|ing)|mistaken|rejected|eliminated)"
    r"(?:[\s-]{1,3}+(?:best|final|possible|answer|individual|given|(?:most\s)?(?:common|likely|popular)))?[\s*_]{1,4}+"
    r"|(?:易错|易混淆?|错误|不正确|(?<!错)误|错|其[他它余]|另外|另一个?|干扰|迷惑|次优|备选|排除|各|每一?|逐|所有|全部|可能|候选|分析|第[一二三四五六1-6])的?[性项个一]?)"
)
OTHER = re.compile(_OTHER + "$", re.IGNORECASE)
"""What before "answer" or "option" makes it another one, or each of them: "the most common wrong", "Next best", "each", "易错"."""

OTHERS_LINE = re.compile(_OTHER + r"(?:(?:option|choice|answer)s?|选项|答案)[\s*_]{0,4}+:[\s*_]{0,4}+$", re.IGNORECASE)
"""A line above options that are not the answer: "Other options:"."""

_PEOPLE = r"(?:many|most|some|others|people|students?|someone|anyone|everyone|they|candidates|readers|learners|a\s+few)"
_PEOPLE_ZH = r"(?:很多|许多|不少|多数|大多|部分|有些|一些|有的|有人|少数|考生|同学|学生|人们)"

SOMEONE = re.compile(
    rf"(?:\b{_PEOPLE}(?:\s{{1,3}}+(?:people|students|readers|candidates|test-takers|of\s+(?:us|them|you)))?"
    r"(?:\s{1,3}+(?:might|may|could|would|will|often|sometimes|usually|commonly|wrongly|incorrectly|mistakenly|tend\s+to"
    r"|say|think|thought|believe|assume|guess|claim|argue|answer|who|be|instead|that|the|correct|right)){0,6}+"
    r"|\b(?:one|you|we)\s{1,3}+(?:might|may|could|would|will)\s{1,3}+(?:\w{1,12}\s){0,2}?(?:think|believe|assume|guess|expect|say)"
    r"(?:\s{1,3}+that)?(?:\s{1,3}+the)?(?:\s{1,3}+(?:correct|right))?"
    r"|\b(?:one|you)\s{1,3}+(?:might|may|could)(?:\s{1,3}+\w{1,12}){0,2}"
    r"|\bI\s{1,3}+(?:(?:initially|originally|first|had)\s{1,3}+)?(?:thought|assumed|believed|guessed)"
    r"(?:\s{1,3}+(?:that|the|correct|right)){0,3}+"
    r"|\bif\s{1,3}+(?:you|one|they|someone|anyone)(?:\s{1,3}+(?:think|thought|say|said|believe|assumed?|that|the)){0,4}+"
    r"|\bif\s{1,3}+(?:you|one|they|someone|anyone)\s{1,3}+\w{1,12}"
    r"|\b(?:wrong|incorrect|mistake|tempt(?:ing|ed|ation)|trap|error)\s(?:(?:is|was|would\s+be)\s)?(?:to|of)(?:\s{1,3}+\w{1,12}){0,4}"
    r")\s{1,3}+$"
    rf"|{_PEOPLE_ZH}[^应我,]{{0,20}}$|容易$|(?:如果|假如|若)[^应,]{{0,3}}$|(?:误以为|(?<!错)误|错|易)(?:正确)?$",
    re.IGNORECASE,
)
"""What before an announcement in the same clause makes it somebody else's: "Many people", "One might think", "考生容易"; or what
was thought at first: "I initially thought"."""

CLAUSE = re.compile(r"[^,.;:!?\n。]{0,100}$")
"""The clause that ends at a place."""

OTHERWISE = re.compile(r"(?:^|[.!?\n。]\s{0,3})[\W_]{0,4}(?:if|for|had|were)\s[^.!?\n。]{1,100}$", re.IGNORECASE)
"""Before "the answer would be": a case that may be another one than the question's, "For the UK"."""

DENIED = re.compile(
    r"\s{0,3}+not\s{1,3}+(?:option\s+)?[*_`\"'(\[$]{0,6}+(?P<denied>[A-Z])(?!\w)[*_`\"')\]$]{0,6}+"
    r"(?:[,;\s]{1,3}+(?:but|it(?:'s|\s+is)|rather)(?:\s+rather)?\s{1,3}+(?:option\s+)?[*_`\"'(\[$]{0,6}+(?P<meant>[A-Z])(?!\w))?"
)
"""After "the answer is": "not A", "not A but B"."""

CLOSED = re.compile(
    r"[*_`\"$)\]}>](?![A-Za-z0-9])|\[(?=[^\x00-\x7f])"
    r"|['\\]{0,2}+(?:[^\S\n]{0,40}+(?:$|\n|[,;:)!?*\]}>|/<&。、])|\.(?![A-Za-z]\b)|\s{1,3}+(?:[-–—→]\s|[(\[])|\s{0,3}+\\[)\]])"
)
"""The end of a letter that stands alone. "A.I." and "B.C." are no letters with a full stop."""

ITEM = re.compile(r"[*_`\"')\]]{0,4}+\s?(?:选项|项)")
"""A letter called an item: "B项"."""

ALONE = re.compile(r"[\W_]{0,24}+(?:选项|项)?[\W_]{0,24}+$")
"""Nothing but signs up to the end."""

LABEL_GAP = re.compile(r"[\s*_`).:\]、]{0,12}+(?:[-–—]\s{1,3}+)?")
"""What stands between an option's label and its text."""

BEFORE_OPENING = re.compile(
    r"(?:[^\w~¬∼!+=/^|&@%-]|_|-(?=\W)|=(?=>)){0,24}+(?:(?:option|choice|选项)[\W_]{0,6}+(?=[A-Za-z](?![A-Za-z])))?(?:<\w{1,10}>[\W_]{0,6}+)?",
    re.IGNORECASE,
)
"""What may stand before a letter that an answer or a line opens with."""

OPTION_WORD = re.compile(r"(?:option|choice|选项)[\W_]{0,6}+$", re.IGNORECASE)
"""The word before the letter that an answer opens with: "Option (B)"."""

OPTION_LINE = re.compile(r"\n[\s*_#>-]{0,8}+(?:[Oo]ption|[Cc]hoice|选项)\s{0,3}+[*_`\"'(\[]{0,4}+([A-Z])(?!\w)")
"""A further line that begins with "Option (B)"."""

DISCUSSED = re.compile(
    r"[*_`\"']{0,4}+[)\]][*_`\"']{0,4}+\s{1,3}+(?:is|are|was|would|could|should|might|may|can|cannot|does|has|seems|only"
    r"|(?:describ|mention|suggest|stat|mean|involv|say|show|refer|represent|impl|give|deal|talk|li|look)\w{0,3})\s"
)
"""After a letter in brackets, what only speaks of it: "(A) describes a decrease"."""

DISCUSSED_OPTION = re.compile(
    r"[*_`\"')\]]{1,6}+\s{1,3}+(?!(?:because|since|as|for|due|and|or|rather|instead|not|which|while|but)\s)[a-z]"
)
"""The same where the word "option" stands before the letter."""

LOWER_LABEL = re.compile(r"[).](?:\s|$)|[)\].*\s]{0,8}+$")
"""What makes a small letter a label where nothing announces it: "b) Paris", or nothing after it."""

LOOSELY_CLOSED = re.compile(
    r"[*_`\"'$)\]}>\\]{0,8}+(?:\s{1,3}+(?:because|since|as|due|for|and|or|rather|instead|not|which|while|but|in|with|over|from|by|at|that"
    r"|where|so|if|based|according|among|option|choice|(?:is|being)\s+(?:the\s+)?(?:correct|right|best|true|answer))\s"
    r"|\s{0,3}+(?:选项|项|因|由于|是|为|正确|对的|这|才))",
    re.IGNORECASE,
)
"""Words that do not follow an article: after "the answer is A", they show that A is a letter."""

LAST_IN_BRACKETS = re.compile(r"[^\n()]{1,200}+\(([A-Z])\)\*{0,2}+(?:[.。\n]|\s{0,3}+$)")
"""After an announcement, what is chosen in words and its letter after it: "the answer is London (B)"."""

ANOTHER = re.compile(
    r"[*_`\"')\]}.$]{0,4}+\s{0,3}+(?:"
    r"(?:(?:,\s{0,3}+)?(?:or|and)\s|[/&、]|或者?|和|与|及|以及)[\s*_`\"'(\[$]{0,6}+(?:option\s+)?(?P<joined>[A-Za-z])(?![\w'-])"
    r"|,[\s*_`\"'(\[$]{0,6}+(?P<listed>[A-Za-z])(?=[*_`\"')\]}]{0,4}+\s{0,3}+(?:$|[.,;\n。、]|and\s|or\s|和|或|两|三))"
    r")"
)
"""A second letter after the first: the answer then chooses more than one."""

LABEL_LINE = re.compile(
    r"[\s*_`\"'(\[#>-]{0,12}+(?:(?:option|choice|选项)\s{0,3}+)?([A-Z])(?=[*_`]{0,4}+[).:\]、]|\s?(?:选项|项)[*_`]{0,4}+[,:、]|[\s*_)]{0,8}+$)",
    re.IGNORECASE,
)
"""A line that begins with an option's label."""

TAKEN_BACK = re.compile(
    r"(?:(?<=[*_)\]}\"'$.!,;\n…。—])|^)[\s*_…—-]{0,8}+(?:"
    r"(?P<firm>(?:(?:hmm+|oh|no|but|oops)[,.…]{0,3}\s{1,3}+)?(?:wait\b(?=\s{0,3}+[,.:!…—-]|\s{1,3}+(?:no|let|that|I)\b|\s{0,3}+$)"
    r"|hold\s+on\b|scratch\s+that|correction\s{0,3}+:|sorry,(?=\s{1,3}+(?:I\s+(?:mean|made|mis|was)|it|that|the|my|no)\w{0,9})|oops\b|my\s+mistake|I\s+made\s+(?:a\s+mistake|an\s+error)"
    r"|on\s+second\s+thoughts?|let\s+me\s+(?:re-?\s?(?:check|consider|think|read|evaluate|examine|do)|correct)\b)"
    r"|等等(?=[,.:。…!])|等一下|更正|纠正|抱歉|我错了|重新(?:考虑|检查|审视|分析|思考))"
    r"|(?P<beside>(?:no,\s{1,3}+)?(?:that|this)(?:'s|\s+is)\s+(?:wrong|incorrect|not\s+(?:right|correct))\b|不对|不正确|错了)"
    r"|(?P<soft>actually\b|no,|no\s(?=it)|不[,](?=应|是|答|正)))[,.:!…\s]{0,6}+",
    re.IGNORECASE,
)
"""After an answer, what takes it back; ``beside`` only where it follows at once or another
answer does, ``soft`` only where another one does."""

CORRECTED = re.compile(
    r"[\s*_]{0,4}+(?:(?:so|then|no|actually|hmm)[,.]?\s{1,3}+){0,2}+"
    r"(?P<led>(?:it|that|the\s+answer|this)(?:'s|\s+is|\s+(?:should|must|has\s+to)\s+be)|should\s+be|I\s+(?:meant?|choose)|make\s+(?:that|it)"
    r"|(?:应该?|应当|正确的?|答案)?(?:是|为|选))?(?:\s{1,3}+(?:option|choice))?(?=[\s*_(\[`\"'$]{0,8}+[A-Z](?!\w))"
)
"""What leads from there to the letter that is meant: "it's B"."""

CONFIRMED = re.compile(
    r"\b(?:yes|yep|indeed|confirm(?:s|ed)?|stands?|(?:(?:it|that|this)\s+(?:is|was)|that's)\s+(?:right|correct)|checks?\s+out)\b"
    r"|没错|确实|无误|(?<!不)正确",
    re.IGNORECASE,
)
"""What says that an answer looked at again was right."""

CAPITAL = re.compile(r"(?<![\w'])[A-Z](?![\w'])")

SELF_ASKED = re.compile(r"A\s?:\s{0,3}+[*_(]{0,3}+[B-Z](?!\w)[*_).]{0,4}+\s{0,3}+(?:$|\n)")
"""An "A:" that stands for "Answer:" as likely as for an option: "A: B"."""

NEXT_QUESTION = re.compile(r"\nA[.):][^\n]*\nB[.):](?:[^\n]*\n){1,24}?(?:Answer|答案)\s*:")
"""A block of options with "Answer:" under it: a base model that goes on with a question of its own."""

SENSIBLE = re.compile(
    r"(?:^|[.!\n,]\s{0,3}+)(?:so\s+|only\s+)?(?:option\s+|choice\s+)?[*_(]{0,3}+([A-Z])(?!\w)[*_)]{0,3}+\s+makes\s+the\s+most\s+sense(?!\w)"
    r"|\bonly\s+(?:option\s+|choice\s+)[*_(]{0,3}+([A-Z])(?!\w)[*_)]{0,3}+\s+(?:works|fits)(?!\w)",
    re.IGNORECASE,
)
"""The last word on a letter: "B makes the most sense", "Only option B works"."""

MARKED = re.compile(
    r"(?:^|\n)[\s*_#>-]{0,8}+\(?(?P<letter>[A-Z])(?:\s?(?:选项|项))?(?:[.):,、]|(?=\s?[❌✗✘✅✓✔]))[^\n]{0,300}?"
    r"(?:(?P<wrong>[❌✗✘]|\s[-–—]\s(?:incorrect|wrong))|(?P<right>[✅✓✔]\ufe0f?|\s[-–—]\s(?:correct|right))"
    r"|(?P<no>[,:]\s(?:incorrect|wrong|false)|[,:;。\s](?:不正确|错误|不对|错))"
    r"|(?P<yes>[,:]\s(?:correct|right|true)|[,:;。\s](?:正确|对)))[*_.。;\s]{0,4}(?=\n|$)"
)
"""A line of an option with a mark on it ("B. London ✅", "A) Paris - incorrect"), or with a word at its end: "B选项:伦敦,正确。"."""

LISTED = re.compile(r"(?:option|choice|选项|选择)", re.IGNORECASE)
"""Announcements that may head a list of the options."""

CHOSEN = re.compile(
    r"(?:\b(?:correct|right|best|final|chosen|selected|appropriate|my)|正确的?|最终的?|最佳|最合适的?|我的)[\s*_]{0,4}$",
    re.IGNORECASE,
)
"""What before "option" says that one is chosen."""

MARKED_WRONG = re.compile(r"[^\n]{0,300}?(?:[❌✗✘]|\s[-–—]\s(?:incorrect|wrong))[*_.\s]{0,4}(?:\n|$)")
"""The rest of a line that is marked as wrong."""

VERDICT = re.compile(
    r"(?:(?<![\w'])|(?<=只有)|(?<=因此)|(?<=所以)|(?<=可知)|(?<=可见))(?:(?:option|choice|statement|answer|选项)\s{0,3}+)?[*_`\"'(\[]{0,6}+"
    r"(?P<letters>[A-Z](?:\s?(?:[、,和与&]|,?\s?and\s)\s?[A-Z]){0,9}+)(?![A-Za-z0-9])[*_`\"')\].]{0,6}+(?:选项|项)?\s{0,3}+"
    r"(?:(?:is|are|must\s+be|seems)\s{1,3}+(?:(?:therefore|clearly|definitely|also|indeed|both|all)\s{1,3}+)?"
    r"|(?=isn't|aren't)|[-–—:]?\s{0,2}+(?=(?:in)?correct[ .;]{0,3}+(?:$|\n)|(?:right|true|wrong|false)[ .;]{0,3}+(?:$|\n))"
    r"|[,:]?\s?(?:的?(?:说法|表述|描述))?(?:是|都|也|均)?(?=[^\x00-\x7f]))"
    r"(?:(?P<answer>the\s+(?:only\s+)?(?:(?:most\s+(?:likely|appropriate|suitable|plausible|accurate)\s+)?(?:correct|right|best)\s+|most\s+(?:likely|appropriate|suitable|plausible|accurate)\s+)(?:answer|option|choice|one)"
    r"|(?:the|my)\s+(?:final\s+)?(?:answer|choice|pick)(?!\w)|the\s+best(?=[\s.]{0,3}+$)|正确(?:的)?(?:答案|选项)|当选)"
    r"|(?P<right>(?:the\s+)?(?:correct|right)(?!\s+(?:that|to|when|only|in)\b)(?!\w)|正确|对的|对(?=[,;。\s]|$)|符合题意)"
    r"|(?P<true>true(?!\w))"
    r"|(?P<wrong>(?:not|incorrect|wrong|false|untrue)(?!\w)|isn't|aren't|不正确|错误|不对|错|不符合|不当选))",
)
"""What an answer says of a letter: that it is the answer, that it is right, true or wrong."""

TEXT_IS_RIGHT = re.compile(
    r"[*_`\"')\]]{0,6}+(?:\s{1,3}+(?:is|would\s+be|must\s+be)\s{1,3}+(?:the\s+)?(?:correct|right|best)"
    r"(?:\s{1,3}+(?:answer|option|choice|one))?[\W_]{0,24}+$|,?\s{1,3}+(?:because|since)\s)",
    re.IGNORECASE,
)
"""After an option's text that begins a line: "London is the correct answer", "London, because"."""

BOXED_WORD = re.compile(rf"{OPEN.pattern}(?:(?:option|choice|answer)(?![A-Za-z])|选项|答案)\s{{0,3}}+:?", re.IGNORECASE)
"""A word before the letter in a box: "\\boxed{\\text{Option B}}"."""
