"""Which conversation a start in the simulated host is in: the decision of `framework_files/agent-conversation`, as far
as the laws need it. `tests/launch/test_conversation_choice.py` tries the real one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from providers.host import HostFacts
from providers.launch.conversations import ConversationRecord, once_path, parse, record_path
from tests.world_model import File

Settings = Mapping[str, Sequence[str]]


def begin(
    agent: str,
    settings: Settings,
    life: str,
    at: float,
    files: dict[str, File],
    facts: HostFacts,
    gone: Collection[str],
) -> None:
    """Record how a start of this agent begins. `gone`: conversations of which nothing is left."""
    words = {key: values[-1] for key, values in settings.items() if values}
    if "MOSAIC_CONVERSATION" not in words:
        return
    path = record_path(agent, facts)
    before = files[path].content if path in files else ""
    how, reason, session = _choice(agent, words, parse(before), before, files, facts, gone)
    asked = {"once": words.get("MOSAIC_RESUME_ONCE", ""), "local": _local(agent, files, facts)}
    line = {
        "at": f"{at:.0f}", "life": life, "program": words["MOSAIC_CONVERSATION"], "declared": words["MOSAIC_DECLARED"],
        "dir": words["MOSAIC_AGENT_WORKDIR"], "how": how, "reason": reason, "id": session,
        **{key: text.partition(" ")[0] for key, text in asked.items()},
    }  # fmt: skip
    files[path] = File(before + "\nstart\t" + "\t".join(f"{key}={value}" for key, value in line.items()) + "\n", 0o600)


def _local(agent: str, files: Mapping[str, File], facts: HostFacts) -> str:
    path = once_path(agent, facts)
    return files[path].content.strip() if path in files else ""


def _choice(
    agent: str,
    words: Mapping[str, str],
    record: ConversationRecord,
    text: str,
    files: Mapping[str, File],
    facts: HostFacts,
    gone: Collection[str],
) -> tuple[str, str, str]:
    """How it begins, why, and in which conversation."""
    last = _last(text)
    fresh = f"{agent}-{len(record.starts) + 1}"
    for key, asked in (("local", _local(agent, files, facts)), ("once", words.get("MOSAIC_RESUME_ONCE", ""))):
        nonce, _, wish = asked.partition(" ")
        after = wish.split(" ", 2) if wish.startswith("after ") else ["after", last.get("life", ""), wish]
        if asked and nonce != last.get(key, "") and after[1] == last.get("life", ""):
            wish = after[2]
            what, _, rest = wish.partition(" ")
            if what == "fresh":
                return ("fresh", rest, fresh) if rest else ("new", "requested", fresh)
            return ("resumed", "chosen", rest) if rest not in gone else ("fresh", "gone", fresh)
    if words.get("MOSAIC_RESUME") == "never":
        return "new", "policy", fresh
    if not record.current:
        return "new", "first", fresh
    if last["dir"] != words["MOSAIC_AGENT_WORKDIR"] or last["program"] != words["MOSAIC_CONVERSATION"]:
        return "fresh", "directory", fresh
    if last["declared"] != words["MOSAIC_DECLARED"] and words.get("MOSAIC_RESUME") != "always":
        return "new", "declared", fresh
    return ("fresh", "gone", fresh) if record.current in gone else ("resumed", "", record.current)


def _last(text: str) -> dict[str, str]:
    starts = [line for line in text.split("\n") if line.startswith("start\t")]
    return dict(word.split("=", 1) for word in starts[-1].split("\t")[1:]) if starts else {}
