// Where the judges are kept in a browser: IndexedDB, apart from what belongs to a person. A phone that keeps nothing for us
// (a private window) judges until the page closes.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { KnownStatement } from "./known";
import { EMPTY, type Shelf } from "./update";
import { NOTHING, type Counts } from "./counting";

/** One count under way: of one version and scan type. The key makes a repeated sending count once. */
export interface Tally {
  scanType: string;
  version: string;
  key: string;
  counts: Counts;
}

interface Kept extends DBSchema {
  shelves: { key: string; value: Shelf };
  /** Known scams, by scan type. */
  known: { key: string; value: KnownStatement };
  tallies: { key: string; value: Tally };
  settings: { key: string; value: string };
}

const memory = { shelves: new Map<string, Shelf>(), known: new Map<string, KnownStatement>(), tallies: new Map<string, Tally>(), settings: new Map<string, string>() };
let opened: Promise<IDBPDatabase<Kept> | null> | undefined;

function database(): Promise<IDBPDatabase<Kept> | null> {
  opened ??= openDB<Kept>("antispam-shield-judge", 2, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore("shelves");
        db.createObjectStore("tallies");
        db.createObjectStore("settings");
      }
      db.createObjectStore("known");
    },
    // An old page of ours in another tab would hold up a newer one for ever.
    blocking: (_current, _wanted, event) => {
      (event.target as IDBDatabase).close();
      opened = undefined;
    },
  }).catch(() => null);
  return opened;
}

export async function readShelf(scanType: string): Promise<Shelf> {
  const db = await database();
  return (db ? await db.get("shelves", scanType) : memory.shelves.get(scanType)) ?? EMPTY;
}

export async function writeShelf(scanType: string, shelf: Shelf): Promise<void> {
  const db = await database();
  if (db) await db.put("shelves", shelf, scanType);
  else memory.shelves.set(scanType, shelf);
}

export async function readKnown(scanType: string): Promise<KnownStatement | null> {
  const db = await database();
  return (db ? await db.get("known", scanType) : memory.known.get(scanType)) ?? null;
}

export async function writeKnown(scanType: string, known: KnownStatement): Promise<void> {
  const db = await database();
  if (db) await db.put("known", known, scanType);
  else memory.known.set(scanType, known);
}

export async function readTally(scanType: string, version: string, key: () => string): Promise<Tally> {
  const db = await database();
  const name = `${scanType} ${version}`;
  const kept = db ? await db.get("tallies", name) : memory.tallies.get(name);
  return kept ?? { scanType, version, key: key(), counts: NOTHING };
}

export async function writeTally(tally: Tally): Promise<void> {
  const db = await database();
  const name = `${tally.scanType} ${tally.version}`;
  if (db) await db.put("tallies", tally, name);
  else memory.tallies.set(name, tally);
}

export async function tallies(): Promise<Tally[]> {
  const db = await database();
  return db ? db.getAll("tallies") : [...memory.tallies.values()];
}

/** Drop a count that was sent, unless it has grown meanwhile by answers that are still to be sent. */
export async function dropTally(sent: Tally): Promise<void> {
  const db = await database();
  const name = `${sent.scanType} ${sent.version}`;
  if (db) await db.delete("tallies", name);
  else memory.tallies.delete(name);
}

export async function readSetting(name: string): Promise<string | undefined> {
  const db = await database();
  return db ? db.get("settings", name) : memory.settings.get(name);
}

export async function writeSetting(name: string, value: string): Promise<void> {
  const db = await database();
  if (db) await db.put("settings", value, name);
  else memory.settings.set(name, value);
}

/** Sign out: counts and choices go; the judges are nobody's, and stay. */
export async function forgetChoices(): Promise<void> {
  const db = await database();
  if (db) await Promise.all([db.clear("tallies"), db.clear("settings")]);
  memory.tallies.clear();
  memory.settings.clear();
}
