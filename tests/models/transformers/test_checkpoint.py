"""What identifies a checkpoint, and which ones are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from llmuses.errors import ModelError, RemoteCodeError
from llmuses.hub import Hub
from llmuses.models.transformers import checkpoint
from llmuses.models.transformers.checkpoint import fetch_small_files, fingerprint, refuse_foreign_code
from tests.support.tiny_models import tiny_gguf, tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(tiny_model(chat=True), tmp_path / "copy")
    return tmp_path / "copy"


def config_folder(tmp_path: Path, **config: Any) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


class TestFingerprint:
    def test_copies_have_one_fingerprint_wherever_they_lie(self, folder: Path) -> None:
        assert fingerprint(folder) == fingerprint(tiny_model(chat=True))
        assert len(fingerprint(folder)) == 32

    @pytest.mark.parametrize(
        "name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja", "generation_config.json"]
    )
    def test_one_changed_byte_changes_it(self, folder: Path, name: str) -> None:
        before = fingerprint(folder)
        content = bytearray((folder / name).read_bytes())
        content[-20] ^= 1
        (folder / name).write_bytes(content)
        assert fingerprint(folder) != before

    def test_notes_and_files_of_the_hub_do_not_change_it(self, folder: Path) -> None:
        before = fingerprint(folder)
        for name in ("README.md", ".gitattributes", "picture.png", "configuration.json"):
            (folder / name).write_text("anything")
        assert fingerprint(folder) == before

    def test_a_gguf_file_is_identified_by_its_content_alone(self, tmp_path: Path) -> None:
        shutil.copy(tiny_gguf(), tmp_path / "renamed.gguf")
        assert fingerprint(tmp_path / "renamed.gguf") == fingerprint(tiny_gguf())
        assert fingerprint(tiny_gguf("qwen2")) != fingerprint(tiny_gguf())

    @pytest.mark.parametrize("place", ["header", "first", "middle", "last"])
    def test_of_a_large_file_each_tensor_counts(
        self, folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Weights that were trained further differ in every tensor, if only in some of its numbers."""
        monkeypatch.setattr(checkpoint, "_HASHED_WHOLE", 1000)
        before = fingerprint(folder)
        content = bytearray((folder / "model.safetensors").read_bytes())
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        start, end = (8 + length + offset for offset in header["model.norm.weight"]["data_offsets"])
        changed = {"header": content.index(b"format"), "first": start, "middle": (start + end) // 2, "last": end - 1}[
            place
        ]
        content[changed] ^= 1
        (folder / "model.safetensors").write_bytes(content)
        assert fingerprint(folder) != before

    def test_a_large_file_with_a_broken_header_is_one_line(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checkpoint, "_HASHED_WHOLE", 1000)
        (folder / "model.safetensors").write_bytes((500).to_bytes(8, "little") + b"{" * 2000)
        with pytest.raises(ModelError, match=r"cannot read .*model\.safetensors"):
            fingerprint(folder)

    def test_a_large_file_of_another_kind_is_read_in_places(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "pytorch_model.bin"
        content = bytearray(bytes(range(256)) * 40)
        path.write_bytes(content)
        monkeypatch.setattr(checkpoint, "_HASHED_WHOLE", 1000)
        before = fingerprint(path)
        assert fingerprint(path) == before
        content[5000] ^= 1
        path.write_bytes(content)
        assert fingerprint(path) != before


class TestForeignCode:
    def test_a_checkpoint_that_transformers_knows_is_taken_even_where_it_brings_code(self, tmp_path: Path) -> None:
        code = {"AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}
        folder = config_folder(tmp_path, model_type="phi3", auto_map=code)
        refuse_foreign_code("acme/phi", folder)
        with pytest.raises(RemoteCodeError):
            refuse_foreign_code("acme/phi", config_folder(folder, model_type="phi3-of-acme", auto_map=code))

    def test_a_checkpoint_that_needs_its_own_code_is_refused_in_one_line_with_the_ways_out(
        self, tmp_path: Path
    ) -> None:
        code = {"AutoModel": "modeling_chatglm.ChatGLMForConditionalGeneration"}
        with pytest.raises(RemoteCodeError) as caught:
            refuse_foreign_code("ZhipuAI/chatglm3-6b", config_folder(tmp_path, model_type="chatglm", auto_map=code))
        message = str(caught.value)
        assert "\n" not in message
        for part in ("ZhipuAI/chatglm3-6b", "trust_remote_code=true", "vLLM", "container", "openai:NAME"):
            assert part in message

    def test_an_architecture_that_nobody_knows_says_to_upgrade(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"no causal language model of type 'newest'.*upgrade"):
            refuse_foreign_code("acme/new", config_folder(tmp_path, model_type="newest"))

    def test_a_model_that_does_not_write_text_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="no causal language model of type 'clip'"):
            refuse_foreign_code("acme/clip", config_folder(tmp_path, model_type="clip"))

    @pytest.mark.parametrize("content", ["{broken", "[]"])
    def test_a_configuration_that_cannot_be_read_is_one_line(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(ModelError, match=r"cannot read .*config\.json"):
            refuse_foreign_code("acme/broken", tmp_path)


class TestLocalPaths:
    def test_a_folder_with_one_gguf_file_is_that_file(self, tmp_path: Path) -> None:
        (tmp_path / "model.gguf").touch()
        assert fetch_small_files(str(tmp_path), Hub.MODELSCOPE, None, False) == tmp_path / "model.gguf"

    def test_a_folder_without_a_checkpoint_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"no config\.json"):
            fetch_small_files(str(tmp_path), Hub.MODELSCOPE, None, False)
        for name in ("a.gguf", "b.gguf"):
            (tmp_path / name).touch()
        with pytest.raises(ModelError, match="give the path of one"):
            fetch_small_files(str(tmp_path), Hub.MODELSCOPE, None, False)

    def test_a_file_that_is_no_gguf_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").touch()
        with pytest.raises(ModelError, match=r"a folder with a config\.json, or a \.gguf file"):
            fetch_small_files(str(tmp_path / "model.safetensors"), Hub.MODELSCOPE, None, False)
