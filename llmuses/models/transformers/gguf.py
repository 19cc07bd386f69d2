"""A GGUF file as a checkpoint folder: converted once to safetensors, kept in the work folder.

transformers de-quantises a GGUF file at every load, which takes longer than everything else together. The converted
weights are the de-quantised numbers in float32, nothing is rounded again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from llmuses.errors import MissingDependencyError, ModelError
from llmuses.models.transformers.checkpoint import fingerprint
from llmuses.settings import work_dir

CONVERSION = 1
"""Counts up when a conversion gives other weights or another tokenizer than before."""


def converted(path: Path) -> Path:
    """Return the checkpoint folder of a GGUF file, converting it if it was not yet.

    Safe to be called by several processes at once: one converts, the others wait. Raises ModelError where the file
    cannot be read or holds an architecture that transformers does not convert.
    """
    try:
        import gguf  # noqa: F401
        from filelock import FileLock
    except ImportError as problem:
        raise MissingDependencyError("reading GGUF files", problem.name or "gguf", "local") from problem
    key = hashlib.blake2b(f"{CONVERSION} {fingerprint(path)}".encode(), digest_size=12).hexdigest()
    folder = work_dir() / "converted" / key
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.exists():
                _convert_beside(path, folder)
    except OSError as problem:
        raise ModelError(f"cannot convert {path.name} in {folder.parent}: {problem}") from problem
    return folder


def _convert_beside(path: Path, folder: Path) -> None:
    """Convert in a temporary folder that becomes ``folder`` when it is whole."""
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _convert(path, unfinished)
        os.rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _convert(path: Path, folder: Path) -> None:
    import torch
    import transformers

    # Without this, and with optional kernels installed, the weights would stay in their quantised blocks.
    dense = {"quantization_config": transformers.GgufConfig(dequantize=True)} if _has_gguf_config() else {}
    where: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, **where)
        network: Any = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent, dtype=torch.float32, **where, **dense
        )
    except Exception as problem:  # whatever a broken file makes the library raise ends in one line
        lines = str(problem).strip().splitlines()
        raise ModelError(f"{path.name} cannot be converted: {lines[0] if lines else repr(problem)}") from problem
    _restore_pre_tokenizer(path, tokenizer)
    # save_pretrained refuses a network that came from GGUF until it forgets so.
    network.hf_quantizer = None
    if hasattr(network.config, "quantization_config"):
        del network.config.quantization_config
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _has_gguf_config() -> bool:
    import transformers

    return hasattr(transformers, "GgufConfig")


def _restore_pre_tokenizer(path: Path, tokenizer: Any) -> None:
    """Put back how text is cut before it is encoded, for those kinds that transformers does not know from the file.

    SmolLM cuts every digit apart; see the pre_tokenizer of its tokenizer.json, and ``LLAMA_VOCAB_PRE_TYPE_SMOLLM`` in
    llama.cpp.
    """
    import gguf
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    field = gguf.GGUFReader(path).get_field("tokenizer.ggml.pre")
    if field is not None and field.contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)]
        )
