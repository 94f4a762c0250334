"""The plugin's settings: the rules and the endpoint in `[components.vlm]`, which its four components share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from agpis_sdk import ComponentConfig

AppliesTo = Literal["image", "pair", "sequence"]


class SentenceRule(ComponentConfig):
    """A rule in plain words: what pictures must be like, or must not show."""

    name: str = Field(description='The rule\'s name in kebab-case, such as "no-hands".')
    text: str = Field(min_length=1, max_length=2000, description='The rule as a sentence: "No hands in the picture."')
    applies_to: AppliesTo = Field(default="image", description='"image", "pair" or "sequence".')
    severity: Literal["error", "warning"] = Field(default="warning", description="An error removes the image.")
    threshold: float = Field(default=0.5, ge=0, le=1, description="Score from which a finding is reported.")
    aliases: tuple[str, ...] = Field(default=(), description="Further names by which reviewers call it.")
    passes: tuple[Path, ...] = Field(default=(), description="Pictures that keep the rule; they go with each question.")
    fails: tuple[Path, ...] = Field(default=(), description="Pictures that break the rule.")
    judge: Literal["model", "head"] = Field(
        default="model", description='"model" asks the endpoint, "head" the local head.'
    )

    @model_validator(mode="after")
    def _heads_judge_images(self) -> SentenceRule:
        if self.judge == "head" and self.applies_to != "image":
            raise ValueError('judge = "head" is for rules that apply to an image')
        return self


class VlmConfig(ComponentConfig):
    """Settings of the rules in plain words; nothing is sent anywhere until `endpoint` is named."""

    rules: dict[str, SentenceRule] = Field(default_factory=dict, description="The rules by code, such as VLM101.")
    endpoint: str = Field(
        default="", description='Base URL of an OpenAI-compatible server, such as "http://localhost:8000/v1".'
    )
    model: str = Field(default="", description="The model's name at the endpoint.")
    api_key_variable: str = Field(default="", description="Environment variable that holds the key; none where empty.")
    heads: Path | None = Field(default=None, description="Folder of `agpis train vlm-heads`.")
    send_title: bool = Field(default=False, description="Send the product's title with its pictures.")
    side: int = Field(default=512, ge=32, description="Pictures are sent at no more than this long side, in pixels.")
    rules_per_call: int = Field(
        default=1, ge=1, le=20, description="Rules in one request; try `agpis-vlm order` before you raise it."
    )
    concurrency: int = Field(default=4, ge=1, le=64, description="Requests at a time.")
    requests_per_minute: float = Field(default=0, ge=0, description="Requests begun in a minute; 0 sets no limit.")
    timeout: float = Field(
        default=30, gt=0, description="Seconds until the first byte of an answer, and from there to its last."
    )
    retries: int = Field(default=3, ge=0, le=10, description="Further attempts after 408, 409, 429, 5xx and time-outs.")
    patience: float = Field(
        default=240, gt=0, description="Seconds for the questions of one batch; keep it below plugins.time_limit."
    )
    max_failures: int = Field(default=10, ge=1, description="Failed requests in a row after which no more is asked.")
    max_calls: int = Field(default=1000, ge=0, description="Requests in a run, further attempts not counted.")
    max_tokens: int = Field(default=0, ge=0, description="Tokens in a run; 0 sets no limit.")
    max_cost: float = Field(default=0, ge=0, description="Money in a run, in the currency of the prices; 0: no limit.")
    input_price: float = Field(default=0, ge=0, description="Price of a million tokens that are sent.")
    output_price: float = Field(default=0, ge=0, description="Price of a million tokens that are answered.")
    tokens_per_picture: int = Field(default=800, ge=0, description="Tokens that a picture costs, for estimates.")
    answer_tokens: int = Field(default=300, ge=50, description="Most tokens of the answer to one rule.")
    answer_limit_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="The field of a request that limits the answer; servers differ."
    )
    request: dict[str, Any] = Field(
        default_factory=lambda: {"temperature": 0.0}, description="Further fields of each request."
    )
    # Left out of dumps: what a run has learned is no reason against resuming it.
    cache: str = Field(
        default=".agpis-vlm.sqlite", exclude=True, description="File that keeps answers; none is kept where empty."
    )
    dry_run: bool = Field(default=False, description="Ask nothing; report at the end what the run would cost.")

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_http(cls, endpoint: str) -> str:
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise ValueError("write it with http:// or https://")
        return endpoint

    def rules_for(self, applies_to: AppliesTo, judge: str = "model") -> dict[str, SentenceRule]:
        """Return the rules of a kind that a judge decides, by code in alphabetical order."""
        return {
            code: rule
            for code, rule in sorted(self.rules.items())
            if (rule.applies_to, rule.judge) == (applies_to, judge)
        }

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """Return what tokens cost, in the currency of the prices."""
        return (input_tokens * self.input_price + output_tokens * self.output_price) / 1e6


class HeadTrainingConfig(ComponentConfig):
    """Options of `agpis train vlm-heads`."""

    rule: tuple[str, ...] = Field(default=(), description="Code of a rule; repeatable. All of the plugin's when unset.")
