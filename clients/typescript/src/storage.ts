// Where an outbox keeps letters until they are sent, and what became of them.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { FeedbackBody } from "./scan";

/** One feedback that waits. */
export interface Letter {
  /** The `Idempotency-Key`, made when the person tapped. */
  key: string;
  body: FeedbackBody;
  /** What the person says the message is. */
  scam: boolean;
  /** Milliseconds since 1970. */
  writtenAt: number;
  /** Tries that ended without an answer that settles it. */
  attempts: number;
  /** Not before this time (milliseconds since 1970); `all`: nor any other letter. */
  hold?: { until: number; all: boolean };
}

/** What became of a scan's newest letter. */
export interface Outcome {
  scanId: string;
  state: "sent" | "failed";
  scam: boolean;
  comment: string;
  /** Why the server refused it, in words for people. */
  message?: string;
  at: number;
}

export interface OutboxStorage {
  /** Identifies the storage among all that this origin has: a lock is named by it. */
  readonly name: string;
  /** All letters, oldest first. */
  letters(): Promise<Letter[]>;
  /** Keep a letter in place of any other of the same scan, all at once. */
  post(letter: Letter): Promise<void>;
  /** Write a letter again if it is still there: a newer one may have taken its place. */
  amend(letter: Letter): Promise<void>;
  /** Drop a letter and keep what became of it, all at once; a newer letter of the scan is left alone. */
  settle(letter: Letter, outcome: Outcome): Promise<void>;
  outcome(scanId: string): Promise<Outcome | undefined>;
  /** Forget everything. */
  clear(): Promise<void>;
}

/** Outcomes that are remembered; the server knows them all. */
const KEPT_OUTCOMES = 200;

interface Schema extends DBSchema {
  letters: { key: string; value: Letter };
  outcomes: { key: string; value: Outcome; indexes: { "by-time": number } };
}

/** Letters in IndexedDB: they outlive the page, and a service worker can send them. One database per account. */
export class BrowserStorage implements OutboxStorage {
  readonly name: string;
  private opened: Promise<IDBPDatabase<Schema>> | undefined;

  /** @param account Whose letters these are: somebody else's must never be sent with another token. */
  constructor(account: string) {
    this.name = `antispam-shield-outbox:${account}`;
  }

  private database(): Promise<IDBPDatabase<Schema>> {
    this.opened ??= openDB<Schema>(this.name, 1, {
      upgrade(db) {
        db.createObjectStore("letters", { keyPath: "key" });
        db.createObjectStore("outcomes", { keyPath: "scanId" }).createIndex("by-time", "at");
      },
    });
    return this.opened;
  }

  async letters(): Promise<Letter[]> {
    return oldestFirst(await (await this.database()).getAll("letters"));
  }

  async post(letter: Letter): Promise<void> {
    const transaction = (await this.database()).transaction(["letters", "outcomes"], "readwrite");
    const letters = transaction.objectStore("letters");
    for (const other of await letters.getAll()) if (other.body.scanId === letter.body.scanId) await letters.delete(other.key);
    await letters.put(letter);
    await transaction.objectStore("outcomes").delete(letter.body.scanId);
    await transaction.done;
  }

  async amend(letter: Letter): Promise<void> {
    const transaction = (await this.database()).transaction("letters", "readwrite");
    if (await transaction.store.get(letter.key)) await transaction.store.put(letter);
    await transaction.done;
  }

  async settle(letter: Letter, outcome: Outcome): Promise<void> {
    const transaction = (await this.database()).transaction(["letters", "outcomes"], "readwrite");
    const outcomes = transaction.objectStore("outcomes");
    if (await transaction.objectStore("letters").get(letter.key)) {
      await transaction.objectStore("letters").delete(letter.key);
      await outcomes.put(outcome);
      const keys = await outcomes.index("by-time").getAllKeys();
      for (const old of keys.slice(0, Math.max(0, keys.length - KEPT_OUTCOMES))) await outcomes.delete(old);
    }
    await transaction.done;
  }

  async outcome(scanId: string): Promise<Outcome | undefined> {
    return (await this.database()).get("outcomes", scanId);
  }

  async clear(): Promise<void> {
    const db = await this.database();
    await Promise.all([db.clear("letters"), db.clear("outcomes")]);
  }
}

/** Letters in memory: for programs that end when they are done, and for Node. */
export class MemoryStorage implements OutboxStorage {
  private readonly kept = new Map<string, Letter>();
  private readonly outcomes = new Map<string, Outcome>();

  constructor(readonly name = `antispam-shield-outbox:memory`) {}

  letters(): Promise<Letter[]> {
    return Promise.resolve(oldestFirst([...this.kept.values()]));
  }

  post(letter: Letter): Promise<void> {
    for (const other of this.kept.values()) if (other.body.scanId === letter.body.scanId) this.kept.delete(other.key);
    this.kept.set(letter.key, letter);
    this.outcomes.delete(letter.body.scanId);
    return Promise.resolve();
  }

  amend(letter: Letter): Promise<void> {
    if (this.kept.has(letter.key)) this.kept.set(letter.key, letter);
    return Promise.resolve();
  }

  settle(letter: Letter, outcome: Outcome): Promise<void> {
    if (this.kept.delete(letter.key)) this.outcomes.set(outcome.scanId, outcome);
    for (const old of [...this.outcomes.keys()].slice(0, Math.max(0, this.outcomes.size - KEPT_OUTCOMES))) this.outcomes.delete(old);
    return Promise.resolve();
  }

  outcome(scanId: string): Promise<Outcome | undefined> {
    return Promise.resolve(this.outcomes.get(scanId));
  }

  clear(): Promise<void> {
    this.kept.clear();
    this.outcomes.clear();
    return Promise.resolve();
  }
}

function oldestFirst(letters: Letter[]): Letter[] {
  return letters.sort((a, b) => a.writtenAt - b.writtenAt || (a.key < b.key ? -1 : 1));
}
