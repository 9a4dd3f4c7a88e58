// Where the judges are kept in a browser: IndexedDB, apart from what belongs to a person. A phone without such storage judges until the page
// closes; where it cannot be opened, each call fails, so that nobody takes "unknown" for "nothing was chosen".
import type { DBSchema, IDBPDatabase } from "idb";
import { opener } from "../lib/database";
import type { KnownStatement } from "./known";
import { EMPTY, type Shelf } from "./update";
import type { Tally } from "./counting";

interface Kept extends DBSchema {
  shelves: { key: string; value: Shelf };
  /** Known scams, by scan type. */
  known: { key: string; value: KnownStatement };
  settings: { key: string; value: string };
}

interface Counted extends DBSchema {
  /** By their keys. */
  tallies: { key: string; value: Tally };
}

const memory = { shelves: new Map<string, Shelf>(), known: new Map<string, KnownStatement>(), tallies: new Map<string, Tally>(), settings: new Map<string, string>() };

const openJudge = opener<Kept>("antispam-shield-judge", 2, (db, before) => {
  if (before < 1) {
    db.createObjectStore("shelves");
    db.createObjectStore("settings");
  }
  if (before < 2) db.createObjectStore("known");
});
const openTallies = opener<Counted>("antispam-shield-tallies", 1, (db) => {
  db.createObjectStore("tallies", { keyPath: "key" });
});

async function database(): Promise<IDBPDatabase<Kept> | null> {
  return globalThis.indexedDB ? openJudge() : null;
}

async function counts(): Promise<IDBPDatabase<Counted> | null> {
  return globalThis.indexedDB ? openTallies() : null;
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
  const db = await counts();
  return db ? db.getAll("tallies") : [...memory.tallies.values()];
}

export async function writeTally(tally: Tally): Promise<void> {
  const db = await counts();
  if (db) await db.put("tallies", tally);
  else memory.tallies.set(tally.key, tally);
}

/** Write a lot again if it still waits. */
export async function amendTally(tally: Tally): Promise<void> {
  const db = await counts();
  if (db === null) return void (memory.tallies.has(tally.key) && memory.tallies.set(tally.key, tally));
  const transaction = db.transaction("tallies", "readwrite");
  if (await transaction.store.get(tally.key)) await transaction.store.put(tally);
  await transaction.done;
}

export async function dropTally(key: string): Promise<void> {
  const db = await counts();
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
  await Promise.all([(await counts())?.clear("tallies"), (await database())?.clear("settings")]);
  memory.tallies.clear();
  memory.settings.clear();
}
