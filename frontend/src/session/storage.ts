/**
 * The outbox, kept in the browser's storage so that a tab closed while offline loses nothing. Every tab writes under its
 * own name; the next tab of the same assignment adopts what tabs that are gone have left. A Web Lock says which tabs are
 * alive. Where the browser has no locks (plain http), everything is adopted: a resend of the same content is harmless.
 */
import { decodeClient, encode } from "../protocol/messages";
import type { Interaction } from "./clicks";
import { joined, type OutboxContent, type OutboxMirror } from "./outbox";

const EMPTY: OutboxContent = { entries: [], firstSent: false };

export class StoredOutbox implements OutboxMirror {
  private readonly storage: Storage;
  private readonly name: string;
  private readonly adopted: readonly string[];

  constructor(storage: Storage, name: string, adopted: readonly string[] = []) {
    this.storage = storage;
    this.name = name;
    this.adopted = adopted;
  }

  /** Everything that earlier tabs left; two tabs that adopted the same leave it once. */
  load(): OutboxContent {
    const texts = [this.name, ...this.adopted].map((name) => this.storage.getItem(name));
    return [...new Set(texts)].map(read).reduce(joined, EMPTY);
  }

  save(content: OutboxContent): void {
    try {
      this.write(content);
    } catch {
      // A full or forbidden storage must not stop the work: the outbox still lives in memory.
    }
  }

  private write(content: OutboxContent): void {
    const frames = content.entries.map(encode);
    if (frames.length) this.storage.setItem(this.name, JSON.stringify({ firstSent: content.firstSent, frames }));
    else this.storage.removeItem(this.name);
    for (const name of this.adopted) if (name !== this.name) this.storage.removeItem(name);
  }
}

function read(text: string | null): OutboxContent {
  if (!text) return EMPTY;
  try {
    const { firstSent, frames } = JSON.parse(text) as { firstSent: boolean; frames: string[] };
    const entries = frames.map(decodeClient).filter((message): message is Interaction => "sequence" in message);
    return { entries, firstSent: Boolean(firstSent) };
  } catch {
    return EMPTY; // written by another version of this page
  }
}

/** The outbox of this tab, with what tabs that are gone have left for the assignment. */
export async function openOutbox(
  assignment: number,
  storage: Storage,
  locks: LockManager | undefined,
): Promise<StoredOutbox> {
  const prefix = `annotator.outbox.${assignment}.`;
  const name = prefix + crypto.getRandomValues(new Uint32Array(2)).join("");
  const left = Object.keys(storage).filter((key) => key.startsWith(prefix));
  const orphans: string[] = [];
  for (const key of left) if (await isGone(key, locks)) orphans.push(key);
  holdForLife(name, locks);
  return new StoredOutbox(storage, name, orphans);
}

async function isGone(name: string, locks: LockManager | undefined): Promise<boolean> {
  return locks ? locks.request(name, { ifAvailable: true }, (lock) => lock !== null) : true;
}

function holdForLife(name: string, locks: LockManager | undefined): void {
  void locks?.request(name, () => new Promise(() => {}));
}
