"""Loading checkpoints: arguments as people type them, what is refused, what identifies a model."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from llmuses.errors import (
    HubError,
    MissingDependencyError,
    ModelError,
    RemoteCodeError,
    UnknownNameError,
    UsageError,
)
from llmuses.hub import Hub
from llmuses.models import Model, load_model
from llmuses.models.load import default_mode
from llmuses.records import Mode
from tests.support.asking import answers, generate, loglikelihood
from tests.support.hub_server import HubServer, hub_server
from tests.support.hubs import point_hubs_at
from tests.support.tiny_models import tiny_model

HUBS = [Hub.MODELSCOPE, Hub.HUGGINGFACE]


def load(**args: Any) -> Model:
    return load_model(str(tiny_model(chat=True)), **args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(tiny_model(chat=True), tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_server() as hub:
        point_hubs_at(hub.url, tmp_path, monkeypatch)
        yield hub


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestArguments:
    @pytest.mark.parametrize(
        ("typed", "precision"),
        [
            ("torch.float16", "float16"),
            ("fp16", "float16"),
            ("half", "float16"),
            ("bf16", "bfloat16"),
            ("torch.bfloat16", "bfloat16"),
            ("Float32", "float32"),
            ("auto", "float32"),
        ],
    )
    def test_precision_is_understood_as_people_type_it(self, typed: str, precision: str) -> None:
        model = load(precision=typed, device_map="cpu")
        assert model.details["precision"] == precision
        assert precision in model.identity

    def test_auto_is_the_checkpoint_s_own_precision_and_the_default_on_a_cpu_is_float32(self, folder: Path) -> None:
        transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(folder)
        assert load_model(str(folder), precision="auto").details["precision"] == "bfloat16"
        assert load_model(str(folder), device_map="cpu").details["precision"] == "float32"

    def test_device_map_auto_places_the_model(self) -> None:
        model = load(device_map="auto")
        assert answers(model, generate("Hi", max_tokens=2))["Hi"].text is not None

    def test_an_unknown_precision_names_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match=r"precision 'torch\.float61'"):
            load(precision="torch.float61")

    def test_an_unknown_device_is_refused(self) -> None:
        with pytest.raises(UsageError, match="device_map=warp9 is no device"):
            load(device_map="warp9")

    @pytest.mark.parametrize("name", ["batch_size", "threads", "max_length"])
    def test_numbers_must_be_positive(self, name: str) -> None:
        with pytest.raises(UsageError, match=f"{name} is 0"):
            load(**{name: "0"})

    def test_a_misspelt_argument_names_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 'precision'"):
            load(precison="fp16")

    def test_threads_are_those_of_torch(self) -> None:
        before = torch.get_num_threads()
        try:
            assert load(threads="2").details["threads"] == 2
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)

    def test_max_length_narrows_the_window_and_cannot_widen_it(self) -> None:
        text = "A river flows from the hills to the sea"
        error = answers(load(max_length="8", chat_template="none"), generate(text))[text].error
        assert error is not None
        assert error.code == "context_length"
        with pytest.raises(UsageError, match="max_length=513 is more than the 512"):
            load(max_length="513")

    def test_without_torch_the_install_command_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(MissingDependencyError, match=r"'torch': pip install 'llmuses\[local\]'"):
            load()


class TestIdentity:
    def test_it_is_equal_for_copies_and_differs_with_whatever_could_change_an_answer(self, folder: Path) -> None:
        identity = load(device_map="cpu").identity
        assert load_model(str(folder), device_map="cpu").identity == identity
        assert load(device_map="cpu", batch_size="3", threads="1").identity == identity
        changes = [{"precision": "bfloat16"}, {"chat_template": "none"}, {"max_length": "100"}]
        others = {load(device_map="cpu", **change).identity for change in changes}
        assert len(others | {identity}) == 4

    def test_it_differs_for_other_weights(self, folder: Path) -> None:
        assert load_model(str(tiny_model(chat=True, seed=1))).identity != load().identity

    def test_name_and_details_say_what_the_model_is(self, folder: Path) -> None:
        model = load_model(f"{folder}/")
        assert model.name == "copy"
        assert model.prefers is default_mode(str(folder)) is Mode.LOGPROB
        assert model.details["architecture"] == "llama"
        assert model.details["parameters"] == 123_200
        assert model.details["max_length"] == 512
        assert model.details["chat_template"] is True
        assert model.details["torch"] == torch.__version__
        assert msgspec.json.decode(msgspec.json.encode(model.details)) == model.details

    def test_a_closed_model_may_be_closed_again(self) -> None:
        model = load()
        model.close()
        model.close()
        assert model.name, "what it was is still known"


class TestRefusals:
    def test_a_checkpoint_that_lacks_weights_is_refused_rather_than_filled_with_random_numbers(
        self, folder: Path
    ) -> None:
        weights = load_file(folder / "model.safetensors")
        del weights["model.layers.1.mlp.up_proj.weight"]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        with pytest.raises(ModelError, match=r"lack weights of the network \(model\.layers\.1\.mlp\.up_proj\.weight"):
            load_model(str(folder))

    def test_a_checkpoint_of_another_shape_is_refused(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 96}))
        with pytest.raises(ModelError) as caught:
            load_model(str(folder))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
    def test_a_broken_file_is_one_line(self, folder: Path, name: str) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:1000])
        with pytest.raises(ModelError, match=r"cannot be loaded") as caught:
            load_model(str(folder))
        assert "\n" not in str(caught.value)

    def test_a_folder_without_weights_is_one_line(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        with pytest.raises(ModelError, match=r"cannot be loaded") as caught:
            load_model(str(folder))
        assert "\n" not in str(caught.value)

    def test_a_model_that_does_not_fit_says_what_would(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

        monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
        with pytest.raises(ModelError, match=r"does not fit into memory.*precision=bfloat16 or device_map=auto"):
            load(device_map="cpu")

    def test_code_of_a_local_folder_is_not_run_unasked(self, folder: Path, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
        (folder / "config.json").write_text(
            json.dumps(
                {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Net"}}
            )
        )
        with pytest.raises(RemoteCodeError, match="trust_remote_code=true"):
            load_model(str(folder))
        assert not ran.exists()

    def test_a_tokenizer_s_own_code_is_not_run_unasked(self, folder: Path, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config.update(tokenizer_class="OwnTokenizer", auto_map={"AutoTokenizer": [None, "own.OwnTokenizer"]})
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        with pytest.raises(RemoteCodeError, match=r"its tokenizer.*trust_remote_code=true"):
            load_model(str(folder))
        assert not ran.exists()

    def test_nothing_is_looked_up_on_the_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any) -> None:
            pytest.fail("a connection was tried")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        answers(load(), generate("Hi", max_tokens=2), loglikelihood("Hi", " there"))


@pytest.mark.parametrize("hub", HUBS)
class TestHubs:
    def test_a_model_of_a_hub_answers_as_its_local_copy_and_is_the_same_model(
        self, server: HubServer, hub: Hub
    ) -> None:
        server.add("model", "acme/tiny-chat", {**files_of(tiny_model(chat=True)), "README.md": b"#"}, "v1.0.2")
        model = load_model("acme/tiny-chat", hub=hub.value, revision="v1.0.2")
        assert model.name == "tiny-chat"
        assert model.identity == load().identity
        assert (model.details["hub"], model.details["revision"]) == (hub.value, "v1.0.2")
        request = loglikelihood("Hi", " there")
        assert answers(model, request)["Hi"].scores == answers(load(), request)["Hi"].scores
        assert "README.md" not in server.downloaded()

    def test_of_a_sharded_checkpoint_exactly_the_shards_are_fetched(
        self, server: HubServer, hub: Hub, folder: Path
    ) -> None:
        (folder / "model.safetensors").unlink()
        network = transformers.AutoModelForCausalLM.from_pretrained(tiny_model(chat=True))
        network.save_pretrained(folder, max_shard_size="200KB")
        shards = sorted(path.name for path in folder.glob("*.safetensors"))
        assert len(shards) > 1
        extra = {"original/consolidated.safetensors": b"0" * 99, "pytorch_model.bin": b"0", "onnx/model.onnx": b"0"}
        server.add("model", "acme/sharded", {**files_of(folder), **extra})
        model = load_model("acme/sharded", hub=hub.value)
        assert sorted(name for name in server.downloaded() if name.endswith(("safetensors", "bin", "onnx"))) == shards
        assert answers(model, generate("Hi", max_tokens=2))["Hi"].text is not None

    def test_a_checkpoint_without_safetensors_is_read_from_its_pytorch_file(
        self, server: HubServer, hub: Hub, folder: Path
    ) -> None:
        torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
        server.add("model", "acme/pickled", files_of(folder))
        model = load_model("acme/pickled", hub=hub.value)
        request = loglikelihood("Hi", " there")
        assert answers(model, request)["Hi"].scores == answers(load(), request)["Hi"].scores

    def test_a_checkpoint_that_needs_code_is_refused_before_its_weights_are_fetched(
        self, server: HubServer, hub: Hub
    ) -> None:
        config = {"model_type": "chatglm", "auto_map": {"AutoModel": "modeling_chatglm.ChatGLM"}}
        files = {
            "config.json": json.dumps(config).encode(),
            "modeling_chatglm.py": b"1 / 0",
            "model.safetensors": b"0" * 99,
        }
        server.add("model", "ZhipuAI/chatglm3-6b", files, "v1.0.2")
        with pytest.raises(RemoteCodeError, match=r"ZhipuAI/chatglm3-6b.*trust_remote_code=true"):
            load_model(
                "ZhipuAI/chatglm3-6b", hub=hub.value, revision="v1.0.2", precision="torch.float16", device_map="auto"
            )
        assert server.downloaded() == ["config.json"]

    def test_a_repository_without_weights_says_what_is_missing(self, server: HubServer, hub: Hub) -> None:
        files = files_of(tiny_model(chat=True))
        del files["model.safetensors"]
        server.add("model", "acme/empty", files)
        with pytest.raises(ModelError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
            load_model("acme/empty", hub=hub.value)

    def test_a_model_that_was_loaded_once_loads_without_the_hub(
        self, server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.add("model", "acme/tiny-chat", files_of(tiny_model(chat=True)))
        identity = load_model("acme/tiny-chat", hub=hub.value).identity
        point_hubs_at("http://127.0.0.1:9", tmp_path, monkeypatch)
        assert load_model("acme/tiny-chat", hub=hub.value).identity == identity
        with pytest.raises(HubError, match=r"cannot be reached for model 'acme/other'"):
            load_model("acme/other", hub=hub.value)


def test_code_runs_where_it_was_allowed_to(folder: Path) -> None:
    """The other side of the refusal: the flag does what its name says."""
    (folder / "own.py").write_text(
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own_llama'\n"
        "class OwnNetwork(LlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    config = json.loads((folder / "config.json").read_text())
    code = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnNetwork"}
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "own_llama", "auto_map": code}))
    model = load_model(str(folder), trust_remote_code="true")
    assert model.details["architecture"] == "own_llama"
    request = loglikelihood("Hi", " there")
    assert answers(model, request)["Hi"].scores == answers(load(), request)["Hi"].scores
