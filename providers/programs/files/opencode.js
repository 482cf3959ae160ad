// Managed by Mosaic Fleet: edits are put back.
//
// A plugin of opencode's terminal interface: heartbeats and receipts. In the interface and not in the server: the server
// waits for npm before it loads a plugin, and a heartbeat from there would go on while the interface hangs.
import { suspended, voice } from "./voice.js"

const RETRIES = 3 // what fails so often does not mend by itself; opencode itself never gives up

const tui = async (api) => {
  const self = voice()
  if (!self) return

  const busy = new Set() // sessions, those of subagents among them
  const asked = new Map() // request -> its session and what it waits for
  const typed = new Set() // messages of the user
  let session = ""
  let failed = {} // why it cannot go on: waiting, or stuck
  let event = "start"

  function tell() {
    const status = busy.size > 0 ? "busy" : "ok"
    const waiting = [...asked.values()].map((request) => request.waiting)[0]
    const stuck = suspended() || failed.stuck
    self.tell(event, { status, session, waiting: waiting || failed.waiting, stuck })
  }

  function on(name, handle) {
    const off = api.event.on(name, ({ properties }) => {
      try {
        handle(properties)
        event = name
        tell()
      } catch {
        // An event of another shape: of a version that is not known here.
      }
    })
    api.lifecycle.onDispose(off)
  }

  function ask(name, waiting) {
    on(`${name}.asked`, ({ id, sessionID }) => asked.set(id, { session: sessionID, waiting }))
    on(`${name}.replied`, ({ requestID }) => asked.delete(requestID))
    on(`${name}.rejected`, ({ requestID }) => asked.delete(requestID))
  }

  ask("permission", "permission")
  ask("question", "question")

  on("session.status", ({ sessionID, status }) => {
    if (status.type === "idle") {
      busy.delete(sessionID)
      for (const [id, request] of asked) if (request.session === sessionID) asked.delete(id)
      return
    }
    busy.add(sessionID)
    if (status.type === "retry" && status.attempt > RETRIES) failed = { stuck: "error" }
  })

  on("session.error", ({ error }) => {
    if (!error || error.name === "MessageAbortedError") return
    failed = error.name === "ProviderAuthError" ? { waiting: "login" } : { stuck: "error" }
  })

  on("message.updated", ({ info }) => {
    if (info.role !== "user" || info.summary) return // a summary is added to old messages
    if (api.state.session.get(info.sessionID)?.parentID) return // a subagent's, said by the agent itself
    typed.add(info.id)
    session = info.sessionID
    self.converse(session, { said: true })
  })

  on("message.part.updated", ({ part }) => {
    if (!typed.has(part.messageID)) {
      if (!busy.has(part.sessionID)) return
      failed = {} // the model says something again
      self.answered()
    } else if (part.type === "text" && !part.synthetic) {
      typed.delete(part.messageID)
      failed = {}
      self.receipt(part.text, busy.has(part.sessionID))
    }
  })

  self.everyBeat = tell
  api.lifecycle.onDispose(() => self.close())
}

export default { id: "mosaic-fleet", tui }
