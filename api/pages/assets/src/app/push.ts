// Waking this phone for news: by its owner's wish, through the browser's push service, which learns when and not what.
// Runs in the page and in the service worker.
import { wakingPhone } from "./store";
import { call, Refused } from "./wire";

interface Phones {
  /** What to subscribe with; null: the server wakes nobody. */
  publicKey: string | null;
  phones: { id: string }[];
}

/** Whether this phone is woken; "none": the server or this browser cannot. */
export type Waking = "none" | "off" | "on";

export async function wakingOf(bearer: string, registration: ServiceWorkerRegistration): Promise<Waking> {
  const { publicKey, phones } = await call<Phones>(bearer, "GET", "/inbox/push");
  if (publicKey === null) return "none";
  const [id, subscription] = [await wakingPhone.read(), await registration.pushManager.getSubscription()];
  return subscription !== null && phones.some((phone) => phone.id === id) ? "on" : "off";
}

/** Let this phone be woken. Rejects like every call, and when the browser's push service cannot be reached. */
export async function switchOn(bearer: string, registration: ServiceWorkerRegistration): Promise<void> {
  const { publicKey } = await call<Phones>(bearer, "GET", "/inbox/push");
  if (publicKey !== null) await register(bearer, registration, publicKey);
}

/** Nothing wakes this phone from now on. Offline too: the push service tells the server. */
export async function switchOff(bearer: string, registration: ServiceWorkerRegistration): Promise<void> {
  const id = await wakingPhone.read();
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  await wakingPhone.drop();
  if (id === undefined) return;
  try {
    await call(bearer, "DELETE", `/inbox/push/phones/${id}`);
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

/** Register again what the browser, the push service or the server has let go of. Rejects like every call. */
export async function keepOn(bearer: string, registration: ServiceWorkerRegistration): Promise<void> {
  const id = await wakingPhone.read();
  if (id === undefined) return;
  const { publicKey, phones } = await call<Phones>(bearer, "GET", "/inbox/push");
  if (publicKey === null) return;
  const subscription = await registration.pushManager.getSubscription();
  const here = subscription !== null && keyOf(subscription) === publicKey;
  if (!here || !phones.some((phone) => phone.id === id)) await register(bearer, registration, publicKey);
}

async function register(bearer: string, registration: ServiceWorkerRegistration, publicKey: string): Promise<void> {
  const before = await registration.pushManager.getSubscription();
  // A subscription is for one key of a server.
  if (before !== null && keyOf(before) !== publicKey) await before.unsubscribe();
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  const { endpoint, keys } = made.toJSON();
  const phone = await call<{ id: string }>(bearer, "POST", "/inbox/push/phones", { endpoint, keys });
  await wakingPhone.write(phone.id);
}

/** The key that a subscription was made with, as the server writes it. */
function keyOf(subscription: PushSubscription): string {
  const bytes = new Uint8Array(subscription.options.applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
