"""Tags one call where it is made, or all calls of a client: nothing to copy, whatever the client is."""

import anthropic
import openai


def with_one_call(client: openai.OpenAI, model: str, prompt: str, session_id: str) -> str:
    """Each call says its session itself."""
    answer = client.responses.create(model=model, input=prompt, extra_headers={"X-OpenClaw-Session-Id": session_id})
    return answer.output_text


def for_one_agent(base_url: str, agent: str) -> anthropic.Anthropic:
    """Every call of this client says its agent. A session id here would stamp all sessions alike: leave it out."""
    return anthropic.Anthropic(base_url=base_url, default_headers={"X-OpenClaw-Agent-Id": agent})


def over_openrouter(client: openai.OpenAI, model: str, prompt: str, session_id: str) -> str | None:
    """OpenRouter has a field of its own, which its broadcast and its list of generations give back."""
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": prompt}], extra_body={"session_id": session_id}
    )
    return answer.choices[0].message.content
