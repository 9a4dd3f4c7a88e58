// Where an outbox keeps letters and counts until they are sent, and what became of the letters.
import type { DBSchema, IDBPDatabase } from "idb";
import type { Tally } from "./generated/judge/counting";
import { opener } from "./generated/lib/database";
import type { OnServer, Said } from "./generated/lib/letters";
import type { Waiting } from "./generated/lib/sending";

/** One feedback that waits, or one report of a verdict of the device. Its key was made when the person tapped. */
export interface Letter extends Said, Waiting {
  /** What the person says the message is. */
  scam: boolean;
  /** Milliseconds since 1970. */
  writtenAt: number;
  /** Of a report: what the server has made of an earlier one on the same scan. */
  onServer?: OnServer;
}

/** What became of a scan's newest letter. */
export interface Outcome {
  scanId: string;
  state: "sent" | "failed";
  scam: boolean;
  comment: string;
  /** Why the server refused it, in words for people. */
  message?: string;
  /** Of a report: what the server has made of it. A changed opinion goes there. */
  onServer?: OnServer;
  at: number;
}

export interface OutboxStorage {
  /** Identifies the storage among all that this origin has: a lock is named by it. */
  readonly name: string;
  /** All letters, oldest first. */
  letters(): Promise<Letter[]>;
  /** Keep a letter in place of any other of the same scan, all at once; it takes over the `onServer` of the scan's letter or outcome. */
  post(letter: Letter): Promise<void>;
  /** Write a letter again if it is still there: a newer one may have taken its place. */
  amend(letter: Letter): Promise<void>;
  /** Drop a letter and keep what became of it, all at once; a newer letter of the scan is only told `onServer`. */
  settle(letter: Letter, outcome: Outcome): Promise<void>;
  outcome(scanId: string): Promise<Outcome | undefined>;
  /** The counts of what the device has said, full or being filled. */
  tallies(): Promise<Tally[]>;
  /** Keep a count in place of the one with its key. */
  keepTally(tally: Tally): Promise<void>;
  /** Write a count again if it is still there. */
  amendTally(tally: Tally): Promise<void>;
  dropTally(key: string): Promise<void>;
  /** Forget everything. */
  clear(): Promise<void>;
}

/** Outcomes that are remembered; the server knows them all. */
const KEPT_OUTCOMES = 200;

interface Schema extends DBSchema {
  letters: { key: string; value: Letter };
  outcomes: { key: string; value: Outcome; indexes: { "by-time": number } };
}

interface Counted extends DBSchema {
  tallies: { key: string; value: Tally };
}

/** Letters in IndexedDB: they outlive the page, and a service worker can send them. Databases of its own for each account. */
export class BrowserStorage implements OutboxStorage {
  readonly name: string;
  private readonly database: () => Promise<IDBPDatabase<Schema>>;
  private readonly counts: () => Promise<IDBPDatabase<Counted>>;

  /** @param account Whose letters these are: somebody else's must never be sent with another token. */
  constructor(account: string) {
    this.name = `antispam-shield-outbox:${account}`;
    this.database = opener<Schema>(this.name, 1, (db) => {
      db.createObjectStore("letters", { keyPath: "key" });
      db.createObjectStore("outcomes", { keyPath: "scanId" }).createIndex("by-time", "at");
    });
    this.counts = opener<Counted>(`antispam-shield-tallies:${account}`, 1, (db) => {
      db.createObjectStore("tallies", { keyPath: "key" });
    });
  }

  async letters(): Promise<Letter[]> {
    return oldestFirst(await (await this.database()).getAll("letters"));
  }

  async post(letter: Letter): Promise<void> {
    const transaction = (await this.database()).transaction(["letters", "outcomes"], "readwrite");
    const letters = transaction.objectStore("letters");
    const others = (await letters.getAll()).filter((other) => other.body.scanId === letter.body.scanId);
    const outcome = await transaction.objectStore("outcomes").get(letter.body.scanId);
    for (const other of others) await letters.delete(other.key);
    await letters.put(following(letter, [...others, outcome]));
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
    } else {
      const newer = (await transaction.objectStore("letters").getAll()).find(({ body }) => body.scanId === outcome.scanId);
      if (newer) await transaction.objectStore("letters").put(following(newer, [outcome]));
    }
    await transaction.done;
  }

  async tallies(): Promise<Tally[]> {
    return (await this.counts()).getAll("tallies");
  }

  async keepTally(tally: Tally): Promise<void> {
    await (await this.counts()).put("tallies", tally);
  }

  async amendTally(tally: Tally): Promise<void> {
    const transaction = (await this.counts()).transaction("tallies", "readwrite");
    if (await transaction.store.get(tally.key)) await transaction.store.put(tally);
    await transaction.done;
  }

  async dropTally(key: string): Promise<void> {
    await (await this.counts()).delete("tallies", key);
  }

  async outcome(scanId: string): Promise<Outcome | undefined> {
    return (await this.database()).get("outcomes", scanId);
  }

  async clear(): Promise<void> {
    const [db, counts] = await Promise.all([this.database(), this.counts()]);
    await Promise.all([db.clear("letters"), db.clear("outcomes"), counts.clear("tallies")]);
  }
}

/** Letters in memory: for programs that end when they are done, and for Node. */
export class MemoryStorage implements OutboxStorage {
  private readonly kept = new Map<string, Letter>();
  private readonly outcomes = new Map<string, Outcome>();
  private readonly counted = new Map<string, Tally>();

  constructor(readonly name = `antispam-shield-outbox:memory`) {}

  letters(): Promise<Letter[]> {
    return Promise.resolve(oldestFirst([...this.kept.values()]));
  }

  post(letter: Letter): Promise<void> {
    const others = [...this.kept.values()].filter((other) => other.body.scanId === letter.body.scanId);
    for (const other of others) this.kept.delete(other.key);
    this.kept.set(letter.key, following(letter, [...others, this.outcomes.get(letter.body.scanId)]));
    this.outcomes.delete(letter.body.scanId);
    return Promise.resolve();
  }

  amend(letter: Letter): Promise<void> {
    if (this.kept.has(letter.key)) this.kept.set(letter.key, letter);
    return Promise.resolve();
  }

  settle(letter: Letter, outcome: Outcome): Promise<void> {
    const newer = [...this.kept.values()].find(({ key, body }) => key !== letter.key && body.scanId === outcome.scanId);
    if (newer) this.kept.set(newer.key, following(newer, [outcome]));
    if (this.kept.delete(letter.key)) this.outcomes.set(outcome.scanId, outcome);
    for (const old of [...this.outcomes.keys()].slice(0, Math.max(0, this.outcomes.size - KEPT_OUTCOMES))) this.outcomes.delete(old);
    return Promise.resolve();
  }

  outcome(scanId: string): Promise<Outcome | undefined> {
    return Promise.resolve(this.outcomes.get(scanId));
  }

  tallies(): Promise<Tally[]> {
    return Promise.resolve([...this.counted.values()]);
  }

  keepTally(tally: Tally): Promise<void> {
    this.counted.set(tally.key, tally);
    return Promise.resolve();
  }

  amendTally(tally: Tally): Promise<void> {
    if (this.counted.has(tally.key)) this.counted.set(tally.key, tally);
    return Promise.resolve();
  }

  dropTally(key: string): Promise<void> {
    this.counted.delete(key);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.kept.clear();
    this.outcomes.clear();
    this.counted.clear();
    return Promise.resolve();
  }
}

/** A letter with what the server has made of the scan, as far as those before it know. */
function following(letter: Letter, before: ({ onServer?: OnServer } | undefined)[]): Letter {
  const onServer = before.find((each) => each?.onServer)?.onServer;
  return onServer ? { ...letter, onServer } : letter;
}

function oldestFirst(letters: Letter[]): Letter[] {
  return letters.sort((a, b) => a.writtenAt - b.writtenAt || (a.key < b.key ? -1 : 1));
}
