// How a database of this device is opened; also in the npm package. Versions stay as they are where that can be: a page of an earlier release may
// still be open, cannot open a newer version, and may hold it up. What is new has a database of its own.
import { openDB, type DBSchema, type IDBPDatabase, type OpenDBCallbacks } from "idb";

/** Opens a database when it is first needed. Where that fails, the promise is rejected, and the next call tries again. */
export function opener<S extends DBSchema>(name: string, version: number, upgrade: NonNullable<OpenDBCallbacks<S>["upgrade"]>): () => Promise<IDBPDatabase<S>> {
  let opened: Promise<IDBPDatabase<S>> | undefined;
  const forget = (): void => {
    opened = undefined;
  };
  const open = async (): Promise<IDBPDatabase<S>> => {
    try {
      return await openDB<S>(name, version, {
        upgrade,
        // An old page of ours in another tab would hold up a newer one for ever.
        blocking(_current, _wanted, event) {
          (event.target as IDBDatabase).close();
          forget();
        },
        terminated: forget,
      });
    } catch (error) {
      forget();
      throw error;
    }
  };
  return () => (opened ??= open());
}
