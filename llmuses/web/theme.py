"""Gradio's theme: the tokens of static/tokens.css under Gradio's names. Its table stands at that file's end."""

from __future__ import annotations

import gradio as gr

_TOKENS = {
    "--u-bg": "body_background_fill",
    "--u-surface": "background_fill_primary block_background_fill block_label_background_fill panel_background_fill"
    " input_background_fill input_background_fill_focus input_background_fill_hover checkbox_background_color"
    " checkbox_background_color_hover checkbox_background_color_focus checkbox_label_background_fill"
    " table_even_background_fill table_odd_background_fill button_secondary_background_fill"
    " button_cancel_background_fill",
    "--u-sunken": "background_fill_secondary code_background_fill checkbox_label_background_fill_hover"
    " button_secondary_background_fill_hover",
    "--u-line": "table_border_color",
    "--u-line-2": "border_color_primary block_border_color block_label_border_color panel_border_color"
    " checkbox_label_border_color checkbox_label_border_color_hover button_secondary_border_color"
    " button_secondary_border_color_hover button_cancel_border_color",
    "--u-line-control": "input_border_color input_border_color_hover checkbox_border_color checkbox_border_color_hover",
    "--u-ink": "body_text_color block_title_text_color table_text_color accordion_text_color error_text_color"
    " button_secondary_text_color button_secondary_text_color_hover",
    "--u-ink-2": "body_text_color_subdued block_label_text_color checkbox_label_text_color",
    "--u-ink-3": "block_info_text_color input_placeholder_color",
    "--u-accent": "color_accent border_color_accent link_text_color link_text_color_active link_text_color_visited"
    " loader_color slider_color input_border_color_focus checkbox_background_color_selected"
    " checkbox_border_color_selected checkbox_border_color_focus checkbox_label_border_color_selected"
    " checkbox_label_text_color_selected button_primary_background_fill button_primary_border_color",
    "--u-accent-hover": "link_text_color_hover button_primary_background_fill_hover button_primary_border_color_hover",
    "--u-on-accent": "button_primary_text_color button_primary_text_color_hover",
    "--u-accent-soft": "color_accent_soft checkbox_label_background_fill_selected table_row_focus stat_background_fill",
    "--u-accent-line": "border_color_accent_subdued",
    "--u-wrong": "error_border_color error_icon_color button_cancel_text_color button_cancel_text_color_hover"
    " button_cancel_border_color_hover",
    "--u-wrong-soft": "error_background_fill button_cancel_background_fill_hover",
    "--u-text-sm": "block_info_text_size block_label_text_size",
    "--u-text-md": "block_title_text_size checkbox_label_text_size section_header_text_size button_small_text_size",
    "--u-text-base": "body_text_size input_text_size button_medium_text_size button_large_text_size",
    "--u-text-read": "prose_text_size chatbot_text_size",
    "--u-r-sm": "checkbox_border_radius block_label_radius",
    "--u-r-md": "input_radius table_radius button_small_radius button_medium_radius button_large_radius",
    "--u-r-lg": "block_radius container_radius embed_radius",
    "--u-s3": "layout_gap",
    "--u-shadow-menu": "shadow_drop_lg",
}
_VALUES = {
    "none": "shadow_drop shadow_inset block_shadow input_shadow checkbox_shadow checkbox_label_shadow"
    " checkbox_label_shadow_hover checkbox_label_shadow_active button_primary_shadow button_primary_shadow_hover"
    " button_primary_shadow_active button_secondary_shadow button_secondary_shadow_hover button_secondary_shadow_active"
    " button_cancel_shadow button_cancel_shadow_hover button_cancel_shadow_active button_transform_hover"
    " button_transform_active",
    "1px": "block_border_width input_border_width checkbox_label_border_width button_border_width form_gap_width",
    "500": "block_title_text_weight button_small_text_weight button_medium_text_weight button_large_text_weight",
    "400": "body_text_weight input_text_weight",
    "0 0 0 1px var(--u-accent)": "input_shadow_focus",
    "3px 10px": "button_small_padding",
    "7px 14px": "button_medium_padding button_large_padding",
    "6px 10px": "input_padding",
    "12px 14px": "block_padding",
}


def theme() -> gr.themes.Base:
    """Return the theme. Light and dark get the same ``var()``, which the tokens resolve.

    Both names are needed: Gradio declares the dark ones on ``.dark``, and a custom property is resolved where it is
    declared.
    """
    base = gr.themes.Base(font=["var(--u-font)"], font_mono=["var(--u-mono)"])
    values: dict[str, str] = {}
    for value, names in [*((f"var({token})", names) for token, names in _TOKENS.items()), *_VALUES.items()]:
        for name in names.split():
            values[name] = value
            if hasattr(base, f"{name}_dark"):
                values[f"{name}_dark"] = value
    return base.set(**values)
