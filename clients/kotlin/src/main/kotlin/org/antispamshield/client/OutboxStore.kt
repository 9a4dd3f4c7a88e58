package org.antispamshield.client

/** One feedback that waits. Times are milliseconds since 1970. */
public data class Letter(
    /** The `Idempotency-Key`, made when the person tapped. */
    val key: String,
    val body: FeedbackBody,
    /** What the person says the message is. */
    val scam: Boolean,
    val writtenAt: Long,
    /** Tries that ended without an answer that settles it. */
    val attempts: Int = 0,
    /** Not before this time. */
    val heldUntil: Long = 0,
    /** While it is held, no other letter is sent either. */
    val holdsAll: Boolean = false,
)

/** What became of a scan's newest letter. */
public data class Outcome(val scanId: String, val sent: Boolean, val scam: Boolean, val comment: String, val message: String?, val at: Long)

/**
 * Where letters are kept. One store belongs to one account: somebody else's letters must never be sent with another token.
 * Calls may block, come from any thread, and each is whole or has not happened.
 */
public interface OutboxStore {
    /** All letters, oldest first. */
    public fun letters(): List<Letter>

    /** Keep a letter in place of any other of the same scan. */
    public fun post(letter: Letter)

    /** Write a letter again if it is still there: a newer one may have taken its place. */
    public fun amend(letter: Letter)

    /** Drop a letter and keep what became of it; a newer letter of the scan is left alone. */
    public fun settle(letter: Letter, outcome: Outcome)

    public fun outcome(scanId: String): Outcome?

    /** Forget everything. */
    public fun clear()
}
