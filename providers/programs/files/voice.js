// Managed by Mosaic Fleet: edits are put back.
//
// What an agent's program says of itself: its heartbeat, and a receipt for each message that it takes up while somebody
// waits for one. This runs inside the program, so nothing in it throws, waits, or keeps the program alive.
import { randomUUID } from "node:crypto"
import { appendFileSync, mkdirSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs"

const SHORTEST_S = 0.05
const USUAL_S = 15
const MOST_CHARACTERS = 80 // of one word

/** The voice of this process, or null: a program that an agent starts inherits its environment, and is not the agent. */
export function voice(env = process.env) {
  const { MOSAIC_AGENT_NAME: name, MOSAIC_HOME: home, MOSAIC_AGENT_PID: pid } = env
  if (pid !== String(process.pid) || !home?.startsWith("/") || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name ?? "")) {
    return null
  }
  return new Voice(`${home}/fleet/run`, name, env)
}

let hasReadKeys = false

/** "suspended" if this process has given its terminal away: to Ctrl-Z, with no shell in the pane that could bring it
 * back, or to a person's editor. "" while it reads the keys, and for one that never does. */
export function suspended(input = process.stdin) {
  const reads = Boolean(input.isTTY && input.isRaw)
  hasReadKeys ||= reads
  return hasReadKeys && !reads ? "suspended" : ""
}

class Voice {
  constructor(folder, name, env) {
    this.folder = folder
    this.file = `${folder}/${name}.hb`
    this.conversations = `${folder}/../conversations`
    this.log = `${this.conversations}/${name}.log`
    this.life = env.MOSAIC_AGENT_LIFE?.startsWith(`${process.pid}.`) ? env.MOSAIC_AGENT_LIFE : `${process.pid}.0`
    this.program = env.MOSAIC_AGENT_RUNTIME ?? ""
    this.noted = ""
    this.awaited = `${env.XDG_RUNTIME_DIR || `/run/user/${process.getuid()}`}/mosaic/await/${name}`
    this.interval = Math.max(SHORTEST_S, Number(env.MOSAIC_HEARTBEAT_INTERVAL) || USUAL_S)
    this.words = { status: "ok" }
    this.event = "start"
    this.answeredAt = ""
    this.everyBeat = () => {} // looks at what no event tells, before each beat
    this.beat()
    // A timer that is not unref'ed would keep a program from ending.
    this.timer = setInterval(() => this.tick(), this.interval * 1000)
    this.timer.unref?.()
  }

  /** `words`: status, and waiting, stuck or session where there is something to say. Written at once if it is news. */
  tell(event, words) {
    const told = Object.entries(words).filter(([, value]) => value)
    const news = JSON.stringify(told) !== JSON.stringify(Object.entries(this.words))
    this.event = event
    this.words = Object.fromEntries(told)
    if (news) this.beat()
  }

  /** A model has answered, or is answering: whatever kept it from that is over. */
  answered() {
    this.answeredAt = (Date.now() / 1000).toFixed(3)
  }

  tick() {
    try {
      this.everyBeat()
    } catch {
      // What it could not see is not told.
    }
    this.beat()
  }

  /** Write the heartbeat now; `interval` in seconds, if this one has to last for longer than usual. */
  beat(interval = this.interval) {
    const head = { ts: new Date().toISOString(), pid: process.pid, status: "ok", source: "native", interval }
    const words = Object.entries({ ...head, ...this.words, event: this.event })
    if (this.answeredAt) words.push(["answered", this.answeredAt])
    const line = words.map(([key, value]) => `${key}=${word(value)}`).join(" ")
    makeFolders(this.folder)
    replace(`${this.file}.${process.pid}`, this.file, `${line}\n`)
  }

  /** Tell whoever waits for it that this text was taken up. `queued`: it waits for the turn that is going on. */
  receipt(prompt, queued) {
    try {
      if (!statSync(this.awaited).isDirectory()) return
    } catch {
      return // nobody waits
    }
    const id = randomUUID()
    replace(`${this.awaited}/.${id}`, `${this.awaited}/${id}.json`, `${JSON.stringify({ prompt, queued })}\n`)
  }

  /** Note in the agent's conversation record which conversation it is in, if that is another one than before, or the
   * first prompt of it (`said`). A later start goes on with it. `file`: where the program keeps it. */
  converse(id, { said = false, file = "" } = {}) {
    const noted = JSON.stringify([id, said, file])
    const more = JSON.stringify([id, true, file]) // said stays so
    if (!id || word(id) !== id || this.noted === noted || this.noted === more) return
    const path = /[\t\r\n]/.test(file) ? "" : file
    const words = { at: Math.floor(Date.now() / 1000), life: this.life, program: this.program, id, source: "native" }
    const line = Object.entries({ ...words, said: Number(said), file: path }).map(([key, value]) => `${key}=${value}`)
    makeFolders(this.conversations)
    try {
      appendFileSync(this.log, `\nid\t${line.join("\t")}\n`, { mode: 0o600 })
      this.noted = noted
    } catch {
      // A later start may begin a new conversation. That is no reason to disturb this one.
    }
  }

  close() {
    clearInterval(this.timer)
  }
}

/** Make `folder` and what is missing above it. Node's own `recursive` never returns where a parent cannot be made and the
 * system calls it missing (ENOENT, as /proc does): it would hold up the program that works. */
function makeFolders(folder) {
  const parts = folder.split("/")
  for (let end = 2; end <= parts.length; end++) {
    try {
      mkdirSync(parts.slice(0, end).join("/"), { mode: 0o700 })
    } catch {
      // It exists, or cannot be made. Then writing the heartbeat fails, too, and that is no reason to stop.
    }
  }
}

function word(value) {
  return String(value).slice(0, MOST_CHARACTERS).replace(/[^A-Za-z0-9_.:/+-]/g, "_")
}

/** A whole file or none. A full disk, or a folder that has gone, is no reason to disturb a program that works. */
function replace(temporary, path, text) {
  try {
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, path)
  } catch {
    try {
      unlinkSync(temporary)
    } catch {
      // It was never there.
    }
  }
}
