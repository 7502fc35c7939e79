"""The model that is fine-tuned: what is trained, its loss, guidance, codec, and generation."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_musicgen import CODEBOOKS, CODES, HOP, RATE
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.errors import BundleError, ModelFault, SettingError
from tatumflow.training.models.musicgen import codec as codec_module
from tatumflow.training.models.musicgen.config import LoraSettings, MusicgenModelConfig
from tatumflow.training.models.musicgen.delay_pattern import delayed
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.models.musicgen.pretrained import load_pretrained
from tatumflow.training.musicgen import generation
from tatumflow.training.musicgen.generation import CodeSampling, generate_codes, guided, sample

TEXT = "bebop jazz solo in F"


@pytest.fixture(scope="module")
def model(tiny_musicgen: Path) -> Musicgen:
    return Musicgen(MusicgenModelConfig(base=str(tiny_musicgen), method="full")).eval()


def adapted(base: Path, **settings: object) -> Musicgen:
    lora = LoraSettings.model_validate({"rank": 2, **settings})
    return Musicgen(MusicgenModelConfig(base=str(base), lora=lora))


def codes_of(seed: int, frames: int, rows: int = 1, codebooks: int = CODEBOOKS) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, CODES, (rows, codebooks, frames), generator=random)


def test_adapters_alone_are_trained_and_saved(tiny_musicgen: Path):
    model = adapted(tiny_musicgen, targets=["q_proj", "fc1", "lm_heads", "enc_to_dec_proj"])
    names = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert names == set(model.state_dict()) == set(model.trained)
    assert all("lora_" in name for name in names)
    assert not any("text_encoder" in name or "audio_encoder" in name for name in names)
    for layer in ("q_proj", "fc1", "lm_heads.3", "enc_to_dec_proj"):
        assert any(f"{layer}.lora_A" in name for name in names), layer
    # What the trainer does where no parts are chosen: the frozen weights must stay frozen.
    model.requires_grad_(True)
    assert {name for name, weight in model.named_parameters() if weight.requires_grad} == names


def test_a_whole_decoder_is_trained_and_saved(tiny_musicgen: Path):
    model = Musicgen(MusicgenModelConfig(base=str(tiny_musicgen), method="full"))
    assert {name.split(".")[1] for name in model.state_dict()} == {"decoder", "enc_to_dec_proj"}


def test_saved_weights_load_and_a_missing_one_is_refused(tiny_musicgen: Path):
    state = {name: torch.randn_like(weight) for name, weight in adapted(tiny_musicgen).state_dict().items()}
    other = adapted(tiny_musicgen)
    other.load_state_dict(state)
    for name, weight in other.state_dict().items():
        assert torch.equal(weight, state[name])
    state.pop(next(iter(state)))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict(state)


def test_frozen_encoders_have_no_dropout_while_training(tiny_musicgen: Path):
    model = adapted(tiny_musicgen).train()
    network: Any = model.transformer
    assert network.decoder.training
    assert not network.text_encoder.training
    assert not network.audio_encoder.training


def test_the_loss_is_the_cross_entropy_of_every_code(model: Musicgen):
    codes = codes_of(0, 5)
    condition = model.encode_text([TEXT])
    with torch.no_grad():
        sums, counts = model.losses(codes, condition)
        logits = model(delayed(codes, model.padding), condition)
    for codebook in range(CODEBOOKS):
        # Code t of codebook k lies at step t + 1 + k, and is predicted from the steps before.
        predicted = logits[0, codebook, codebook : codebook + 5]
        expected = F.cross_entropy(predicted, codes[0, codebook], reduction="sum")
        torch.testing.assert_close(sums[0, codebook], expected)
    assert counts.tolist() == [[5] * CODEBOOKS]


def test_padding_has_no_loss_and_no_influence(model: Musicgen):
    short, long = codes_of(1, 4), codes_of(2, 9)
    padded = torch.cat([F.pad(short, (0, 5), value=-1), long])
    captions = model.encode_text([TEXT, TEXT])
    with torch.no_grad():
        sums, counts = model.losses(padded, captions)
        alone, _ = model.losses(short, model.encode_text([TEXT]))
    assert counts.tolist() == [[4] * CODEBOOKS, [9] * CODEBOOKS]
    torch.testing.assert_close(sums[:1], alone, rtol=1e-4, atol=1e-4)


def test_a_dropped_caption_is_the_condition_of_no_text(model: Musicgen):
    codes = codes_of(3, 6, rows=2)
    dropped = torch.tensor([True, False])
    with torch.no_grad():
        first = model(codes, model.encode_text(["fast blues", TEXT]).without(dropped))
        second = model(codes, model.encode_text(["slow ballad", TEXT]).without(dropped))
        kept = model(codes, model.encode_text(["slow ballad", TEXT]))
    assert torch.isfinite(first).all()
    torch.testing.assert_close(first, second)
    assert not torch.allclose(kept[0], second[0])


def test_guidance_moves_the_logits_away_from_no_text(model: Musicgen):
    logits = torch.tensor([[[1.0, 2.0]], [[0.0, 4.0]]])
    assert guided(logits, 1.0)[0].tolist() == [[1.0, 2.0]]
    assert guided(logits, 3.0)[0].tolist() == [[3.0, -2.0]]
    assert guided(logits[:1], 3.0).tolist() == logits[:1].tolist()
    likely = [
        generate_codes(model, TEXT, 12, CodeSampling(temperature=0, guidance=guidance)) for guidance in (1, 8)
    ]
    assert not torch.equal(*likely)


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("known", [0, 7])
def test_the_most_likely_codes_are_those_that_transformers_generates(
    model: Musicgen, guidance: float, known: int
):
    prompt = codes_of(4, known)[0]
    own = generate_codes(model, TEXT, 20, CodeSampling(temperature=0, guidance=guidance), prompt)
    words = model.pretrained.tokenizer([TEXT], return_tensors="pt")
    given: dict[str, Any] = {"decoder_input_ids": prompt.clone()} if known else {}
    # Their length counts the first step and the delay too.
    theirs = model.transformer.generate(  # pyright: ignore[reportCallIssue]
        input_ids=words["input_ids"],
        attention_mask=words["attention_mask"],
        max_length=known + 20 + CODEBOOKS,
        do_sample=False,
        guidance_scale=guidance,
        **given,
    )
    assert own.shape == (CODEBOOKS, known + 20)
    torch.testing.assert_close(model.codec.decode(own), theirs[0].detach())


def test_the_same_seed_samples_the_same_codes_and_a_prompt_stays(stereo_musicgen: Path):
    model = Musicgen(MusicgenModelConfig(base=str(stereo_musicgen), method="full")).eval()
    prompt = codes_of(5, 8, codebooks=2 * CODEBOOKS)[0]
    first, again, other = (
        generate_codes(model, TEXT, 10, CodeSampling(seed=seed), prompt) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first[:, :8], prompt)
    assert first.shape == (2 * CODEBOOKS, 18)
    assert 0 <= int(first.min()) <= int(first.max()) < CODES


def test_more_than_a_window_is_generated_from_the_end_of_the_last(
    model: Musicgen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(generation, "WINDOW_SECONDS", 0.2)
    monkeypatch.setattr(generation, "CONTEXT_SECONDS", 0.05)
    likely, seen = CodeSampling(temperature=0), []
    whole = generate_codes(model, TEXT, 50, likely, progress=seen.append)
    assert whole.shape == (CODEBOOKS, 50)
    assert (seen[-1], sorted(seen)) == (50, seen)
    assert torch.equal(generate_codes(model, TEXT, 20, likely), whole[:, :20])
    assert torch.equal(generate_codes(model, TEXT, 15, likely, whole[:, 15:20]), whole[:, 15:35])


def test_only_the_likeliest_codes_are_sampled():
    logits = torch.tensor([[0.0, 5.0, 4.0, -1.0]]).repeat(200, 1)
    random = torch.Generator().manual_seed(0)
    assert set(sample(logits, CodeSampling(top_k=2), random).tolist()) == {1, 2}
    assert set(sample(logits, CodeSampling(temperature=0), random).tolist()) == {1}
    with pytest.raises(ModelFault, match="not finite"):
        sample(logits * torch.nan, CodeSampling(), random)


@pytest.mark.parametrize(
    "setting", [{"temperature": 2.1}, {"temperature": -1}, {"top_k": -1}, {"guidance": 0.5}, {"seed": -1}]
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, float]):
    with pytest.raises(SettingError, match=rf"{next(iter(setting))}: .*allowed"):
        CodeSampling(**setting)  # pyright: ignore[reportArgumentType]


def test_sound_becomes_a_code_of_each_codebook_and_frame(model: Musicgen):
    sound = 0.1 * torch.randn(1, 10 * HOP + 3, generator=torch.Generator().manual_seed(0))
    codes = model.codec.encode(sound)
    assert codes.shape == (CODEBOOKS, 11)
    assert len(codes.unique()) > 4
    assert model.codec.decode(codes).shape == (1, 11 * HOP)


def test_the_channels_of_stereo_alternate(stereo_musicgen: Path):
    codec = Musicgen(MusicgenModelConfig(base=str(stereo_musicgen), method="full")).codec
    left, right = (0.1 * torch.randn(1, RATE // 10) for _ in range(2))
    codes = codec.encode(torch.cat([left, right]))
    assert torch.equal(codes[::2], codec.encode(torch.cat([left, left]))[1::2])
    assert torch.equal(codes[1::2], codec.encode(torch.cat([right, right]))[::2])
    decoded = codec.decode(codes)
    assert torch.allclose(decoded[:1], codec.decode(codes[::2].repeat_interleave(2, dim=0))[:1], atol=1e-5)


def test_pieces_of_sound_join_without_a_seam(model: Musicgen, monkeypatch: pytest.MonkeyPatch):
    sound = 0.1 * torch.randn(1, 100 * HOP, generator=torch.Generator().manual_seed(0))
    whole = model.codec.encode(sound)
    decoded = model.codec.decode(whole)
    monkeypatch.setattr(codec_module, "PIECE_SECONDS", 0.3)
    monkeypatch.setattr(codec_module, "CONTEXT_SECONDS", 0.2)
    pieces = model.codec.encode(sound)
    assert pieces.shape == whole.shape
    assert (pieces == whole).float().mean() > 0.98
    assert (model.codec.decode(whole) - decoded).abs().max() < 0.02 * decoded.abs().max()


def test_a_model_of_another_kind_or_damaged_is_refused(tiny_musicgen: Path, tmp_path: Path):
    with pytest.raises(BundleError, match=r"holds no config\.json"):
        load_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "t5"}', encoding="utf-8")
    with pytest.raises(BundleError, match="type t5"):
        load_pretrained(str(tmp_path))
    for file in tiny_musicgen.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(BundleError, match="cannot be loaded") as caught:
        load_pretrained(str(tmp_path))
    assert "\n" not in str(caught.value)
