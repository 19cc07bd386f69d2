"""A checkpoint on disk: where it is, whether it brings code of its own, what identifies its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from llmuses.errors import ModelError, RemoteCodeError
from llmuses.hub import Hub, fetch_model

SMALL_FILES = ("*.json", "*.jinja", "*.model", "*.tiktoken", "*.txt")
"""Configuration, tokenizer and chat template: fetched and judged before any weights are."""

_CODE_FILES = ("*.py",)
_WEIGHT_FILES = (".bin", ".gguf", ".safetensors")
_IDENTIFYING = (*_WEIGHT_FILES, ".jinja", ".json", ".model", ".py", ".tiktoken", ".txt")
_HUB_NOTES = {"configuration.json"}  # added by ModelScope to every repository

_HASHED_WHOLE = 256 * 2**20
_BLOCK = 4096
_BLOCKS = 4096


def fetch_small_files(name: str, hub: Hub, revision: str | None, code: bool) -> Path:
    """Return the GGUF file, or the folder with at least the configuration and the tokenizer of a checkpoint.

    ``code`` says whether its own code comes along. Raises HubError or ModelError.
    """
    path = fetch_model(name, hub, revision, SMALL_FILES + _CODE_FILES * code)
    if path.is_file():
        if path.suffix != ".gguf":
            raise ModelError(f"'{name}' is a file: a model is a folder with a config.json, or a .gguf file.")
        return path
    if (path / "config.json").exists():
        return path
    files = sorted(path.glob("*.gguf"))
    if len(files) == 1:
        return files[0]
    raise ModelError(
        f"'{name}' is no checkpoint that can be loaded: it has no config.json; of .gguf files, give the path of one."
    )


def fetch_weights(name: str, hub: Hub, revision: str | None, code: bool, folder: Path) -> Path:
    """Return the folder with the weights beside the small files, safetensors where the checkpoint has them.

    Of a sharded checkpoint exactly the files that its index names are fetched. Raises HubError or ModelError.
    """
    if hub is Hub.PACKAGE or Path(name).expanduser().exists():
        return folder
    small = SMALL_FILES + _CODE_FILES * code
    for single in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{single}.index.json"
        shards = set(_read_json(index)["weight_map"].values()) if index.exists() else {single}
        fetched = fetch_model(name, hub, revision, (*small, *sorted(shards)))
        if all((fetched / shard).exists() for shard in shards):
            return fetched
    raise ModelError(
        f"'{name}' holds neither model.safetensors nor pytorch_model.bin: where it offers .gguf files, download one "
        f"and give its path."
    )


def refuse_foreign_code(name: str, folder: Path) -> None:
    """Raise RemoteCodeError for a checkpoint that transformers cannot load without running the checkpoint's own code.

    Raises ModelError where transformers does not know its architecture at all.
    """
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    config = _read_json(folder / "config.json")
    architecture = config.get("model_type")
    if architecture in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return
    if "auto_map" in config:
        raise needs_own_code(name, str(architecture))
    raise ModelError(
        f"'{name}': transformers {transformers.__version__} has no causal language model of type '{architecture}': "
        f"upgrade transformers, or serve the model and use openai:NAME."
    )


def needs_own_code(name: str, what: str) -> RemoteCodeError:
    """Return the error for a checkpoint whose code is not allowed to run."""
    return RemoteCodeError(
        f"'{name}' ({what}) needs code of its own, which is not run unasked: serve it with vLLM in a container and use "
        f"openai:NAME with --model-args base_url=URL, or, if you trust its authors, add "
        f"--model-args trust_remote_code=true."
    )


def fingerprint(path: Path) -> str:
    """Return 32 hex digits that change when the checkpoint's weights, configuration, tokenizer or template do.

    Over the names, sizes and contents of all files that are read when a model is loaded. Files up to 256 MiB count
    whole. Of a larger safetensors file the header counts, and of each tensor the first, the middle and the last 4 KiB;
    of any other large file 4,096 blocks of 4 KiB at equal distances. Raises ModelError for a file that cannot be read.
    """
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if _identifies(file))
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        size = file.stat().st_size
        # A file's own name is left out: the same file under another name is the same model.
        digest.update(f"{'' if path.is_file() else file.name}\0{size}\0".encode())
        try:
            with open(file, "rb") as opened:
                for block in _blocks(opened, size, file.suffix):
                    digest.update(block)
        except (OSError, KeyError, TypeError, ValueError) as problem:
            raise ModelError(f"cannot read {file}: {problem}") from problem
    return digest.hexdigest()


def _identifies(file: Path) -> bool:
    return file.is_file() and file.suffix in _IDENTIFYING and file.name not in _HUB_NOTES


def _blocks(file: BinaryIO, size: int, suffix: str) -> Iterator[bytes]:
    if size <= _HASHED_WHOLE:
        while block := file.read(2**20):
            yield block
        return
    if suffix == ".safetensors":
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length)
        yield header
        places = _tensor_places(json.loads(header), 8 + length)
    else:
        places = (size * number // _BLOCKS for number in range(_BLOCKS))
    for place in places:
        file.seek(place)
        yield file.read(_BLOCK)


def _tensor_places(header: dict[str, Any], data: int) -> Iterator[int]:
    """Yield where in the file each tensor's first, middle and last block begin."""
    for name, tensor in sorted(header.items()):
        if name != "__metadata__":
            start, end = (data + offset for offset in tensor["data_offsets"])
            yield start
            yield (start + end) // 2
            yield max(start, end - _BLOCK)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise ModelError(f"cannot read {path}: {problem}") from problem
    if not isinstance(content, dict):
        raise ModelError(f"cannot read {path}: it does not hold a JSON object.")
    return content
