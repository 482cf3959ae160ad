// Managed by Mosaic Fleet: edits are put back.
//
// An extension of pi: heartbeats, receipts, and the contract that the agent works by.
import { readFileSync } from "node:fs"
import { suspended, voice } from "./voice.js"

const RETRY_S = 20 // after some errors pi tries again 2, 4 and 8 s later, and does not tell
const FINAL = /^4(?!08|29)\d\d\b/ // a refusal that is not tried again
const EDITOR_S = 1200 // while a person's editor is open, pi waits for it and does nothing else
const CTRL_G = ["\x07", "\x1b[103;5u"]

/** No model that it has a key for: it takes no message before a person has logged in. */
function needsLogin(ctx) {
  if (!ctx) return false
  return !ctx.model || !ctx.modelRegistry.hasConfiguredAuth(ctx.model)
}

/** As it is now: the file is new whenever the fleet's files change. */
function contract() {
  try {
    return readFileSync(process.env.MOSAIC_AGENT_CONTRACT, "utf-8").trim()
  } catch {
    return ""
  }
}

export default function (pi) {
  const self = voice()
  if (!self) return

  let session = ""
  let file = ""
  let busy = false
  let compacting = false
  let retrying = null // a timer: whether it tries again is known when it has run out
  let stuck = ""
  let typed = null
  let context = null
  let event = "start"
  let deafen = () => {}

  function tell() {
    const status = busy || compacting || retrying ? "busy" : "ok"
    const waiting = status === "ok" && needsLogin(context) ? "login" : ""
    self.tell(event, { status, session, waiting, stuck: suspended() || stuck })
  }

  /** An error of a handler would be shown in the conversation. */
  function on(name, handle) {
    pi.on(name, (details, ctx) => {
      let answer
      try {
        event = name
        answer = handle(details, ctx)
        tell()
      } catch {
        // Of a version whose events look different: what it does is less well known then.
      }
      return answer
    })
  }

  function settle() {
    clearTimeout(retrying)
    retrying = null
  }

  on("session_start", (_, ctx) => {
    context = ctx
    session = ctx.sessionManager.getSessionId()
    file = ctx.sessionManager.getSessionFile?.() ?? ""
    self.converse(session, { file })
    if (!ctx.hasUI) return
    deafen = ctx.ui.onTerminalInput((data) => {
      if (CTRL_G.includes(data)) self.beat(EDITOR_S)
      return undefined
    })
  })

  // What comes while a turn goes on is queued. Anything else may still be refused, as when there is no key.
  on("input", ({ text }, ctx) => {
    stuck = ""
    typed = ctx.isIdle() ? text : null
    if (typed === null) self.receipt(text, true)
  })

  // Not by --append-system-prompt: that would replace the person's own APPEND_SYSTEM.md.
  on("before_agent_start", ({ prompt, systemPrompt }) => {
    self.receipt(typed ?? prompt, false)
    self.converse(session, { said: true, file })
    typed = null
    const text = contract()
    return text ? { systemPrompt: `${systemPrompt}\n\n${text}` } : undefined
  })

  on("agent_start", () => {
    settle()
    busy = true
    compacting = false
  })

  on("message_end", ({ message }) => {
    if (message.role !== "assistant" || message.stopReason === "error") return
    stuck = ""
    if (message.stopReason !== "aborted") self.answered()
  })

  on("agent_end", ({ messages }) => {
    settle()
    busy = false
    const last = messages.findLast((message) => message.role === "assistant")
    if (last?.stopReason !== "error") return
    if (FINAL.test(last.errorMessage ?? "")) {
      stuck = "error"
      return
    }
    retrying = setTimeout(() => {
      retrying = null
      stuck = "error"
      tell()
    }, RETRY_S * 1000)
    retrying.unref?.()
  })

  on("session_before_compact", ({ signal }) => {
    compacting = true
    signal.addEventListener("abort", () => {
      compacting = false
      tell()
    })
  })

  on("session_compact", () => {
    compacting = false
  })

  on("session_shutdown", () => {
    settle()
    deafen()
    self.close()
  })

  self.everyBeat = tell
}
