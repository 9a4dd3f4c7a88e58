// What can go wrong between an app and the API: an answer that refuses, or no answer at all.

/** Base of everything that this package throws. `message` is a sentence that can be shown as it is. */
export class ShieldError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer of the API: offline, the server is away, or something else answered in its place. */
export class Unreachable extends ShieldError {}

/** The answer was a problem document (RFC 9457). Its subclasses, one per `type`, are named as in the API. */
export class Problem extends ShieldError {
  constructor(
    message: string,
    /** HTTP status. */
    readonly status: number,
    /** The last part of `type`, e.g. `contradictory-feedback`; empty where the answer was no problem document. */
    readonly slug: string = "",
    /** Seconds to wait before the next try, where the answer says so. */
    readonly retryAfterSeconds: number | null = null,
    /** The whole document: members beyond the standard's are here. */
    readonly document: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
