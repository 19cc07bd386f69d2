"""The document that Gradio writes, made ours: language, title, tags, stylesheets, the bar; and the headers over it."""

from __future__ import annotations

import os
import re
import secrets

from llmuses.i18n import text
from llmuses.markup import Markup
from llmuses.visit import LANG_COOKIE, Visit
from llmuses.web import assets

FRAMES_ENV = "LLMUSES_FRAME_ANCESTORS"
"""Who may show the app in a frame: a CSP source list, default ``'self'``. A hub that embeds it must be named here."""

_META = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
_MANIFEST = re.compile(r'\s*<link rel="manifest"[^>]*>')
_HTML = re.compile(r"<html\b[^>]*?(?=\s+style=|>)")
_BASE = re.compile(r"<base\b[^>]*>")
_BODY = re.compile(r"<body\b[^>]*>")
_SCRIPT = re.compile(r"<script\b(?![^>]*\bnonce=)")


def new_nonce() -> str:
    """Return a fresh nonce: the scripts of one document carry it, nothing that is put into the page later can."""
    return secrets.token_urlsafe(16)


def headers(nonce: str | None = None) -> dict[str, str]:
    """Return the headers of every answer. With a nonce they are those of a document.

    Gradio compiles its HTML component's templates in the browser, which needs ``unsafe-eval``; inline styles are
    everywhere in it. Inline scripts and event handlers stay forbidden, and so is any other origin.
    """
    frames = os.environ.get(FRAMES_ENV, "'self'").replace(";", " ").replace("\n", " ")
    scripts = f"'self' 'unsafe-eval' 'nonce-{nonce}'" if nonce else "'self'"
    policy = (
        "default-src 'self'",
        f"script-src {scripts}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        f"frame-ancestors {frames}",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-DNS-Prefetch-Control": "off",  # else the name in a model's link is looked up as soon as it is shown
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }


def language_cookie(visit: Visit, root: str) -> str | None:
    """Return the cookie that keeps a language chosen by hand, ``None`` where the address chooses none.

    It is for the path ``root`` that the app is served below; "" is the whole site.
    """
    if visit.query.get("lang") != visit.lang:
        return None
    return f"{LANG_COOKIE}={visit.lang}; Path={root or '/'}; Max-Age=31536000; SameSite=Lax"


def rewrite(document: str, visit: Visit, title: str, bar: Markup, nonce: str) -> str:
    """Return Gradio's document with our language, title, tags, stylesheets and bar, and the nonce on each script."""
    lang = "zh-CN" if visit.lang == "zh" else "en"
    head = Markup(
        '<base href="./">\n<title>{title}</title>\n<meta name="description" content="{about}">\n'
        '<meta property="og:site_name" content="llmuses">\n<meta property="og:type" content="website">\n'
        '<meta property="og:title" content="{title}">\n<meta property="og:description" content="{about}">\n'
        '<meta name="twitter:card" content="summary">\n<meta name="color-scheme" content="light dark">\n{tags}\n'
    ).format(title=title, about=text(visit.lang, "web.about"), tags=assets.tags())
    page = _MANIFEST.sub("", _META.sub("", document))
    page = _HTML.sub(
        str(
            Markup('<html lang="{}" data-title="{}" data-slow="{}" data-copied="{}"').format(
                lang, title, text(visit.lang, "web.slow"), text(visit.lang, "web.copied")
            )
        ),
        page,
        count=1,
    )
    page = _BASE.sub(lambda _: str(head), page, count=1)
    page = _BODY.sub(lambda tag: tag.group() + str(bar), page, count=1)
    return _SCRIPT.sub(f'<script nonce="{nonce}"', page)
