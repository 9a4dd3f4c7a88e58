// Where the judges are kept in a browser: IndexedDB, apart from what belongs to a person. A phone that keeps nothing for us
// (a private window) judges until the page closes.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { KnownStatement } from "./known";
import { EMPTY, type Shelf } from "./update";
import type { Tally } from "./counting";

interface Kept extends DBSchema {
  shelves: { key: string; value: Shelf };
  /** Known scams, by scan type. */
  known: { key: string; value: KnownStatement };
  /** By their keys. */
  tallies: { key: string; value: Tally };
  settings: { key: string; value: string };
}

const memory = { shelves: new Map<string, Shelf>(), known: new Map<string, KnownStatement>(), tallies: new Map<string, Tally>(), settings: new Map<string, string>() };
let opened: Promise<IDBPDatabase<Kept> | null> | undefined;

function database(): Promise<IDBPDatabase<Kept> | null> {
  opened ??= openDB<Kept>("antispam-shield-judge", 3, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore("shelves");
        db.createObjectStore("settings");
      } else db.deleteObjectStore("tallies"); // by version: a lot that was on its way could grow
      if (before < 2) db.createObjectStore("known");
      db.createObjectStore("tallies", { keyPath: "key" });
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

export async function tallies(): Promise<Tally[]> {
  const db = await database();
  return db ? db.getAll("tallies") : [...memory.tallies.values()];
}

export async function writeTally(tally: Tally): Promise<void> {
  const db = await database();
  if (db) await db.put("tallies", tally);
  else memory.tallies.set(tally.key, tally);
}

/** Write a lot again if it still waits. */
export async function amendTally(tally: Tally): Promise<void> {
  const db = await database();
  if (db === null) return void (memory.tallies.has(tally.key) && memory.tallies.set(tally.key, tally));
  const transaction = db.transaction("tallies", "readwrite");
  if (await transaction.store.get(tally.key)) await transaction.store.put(tally);
  await transaction.done;
}

export async function dropTally(key: string): Promise<void> {
  const db = await database();
  if (db) await db.delete("tallies", key);
  else memory.tallies.delete(key);
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
