package org.antispamshield.client

/** Something that waits to be sent. Times are milliseconds since 1970. */
public interface Waiting {
    /** The `Idempotency-Key`: however often it is sent, the server counts it once. */
    public val key: String

    /** Tries that ended without an answer that settles it. */
    public val attempts: Int

    /** Not before this time. */
    public val heldUntil: Long

    /** While it is held, nothing else is sent either. */
    public val holdsAll: Boolean
}

/** One feedback that waits, or one report of a verdict of the device. Its key was made when the person tapped. */
public data class Letter(
    override val key: String,
    val body: FeedbackBody,
    /** What the person says the message is. */
    val scam: Boolean,
    val writtenAt: Long,
    override val attempts: Int = 0,
    override val heldUntil: Long = 0,
    override val holdsAll: Boolean = false,
    /** Of a message that the device has judged: the server has to see it first. */
    val report: DeviceReport? = null,
) : Waiting

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

    /** Drop a letter and keep what became of it; a newer letter of the scan is left alone. Of a report: keep, in any case, where the server has it. */
    public fun settle(letter: Letter, outcome: Outcome, onServer: OnServer? = null)

    public fun outcome(scanId: String): Outcome?

    /** Where the server keeps what was judged on this device as [scanId] and then reported; null: nowhere yet. */
    public fun onServer(scanId: String): OnServer?

    /** The counts of what the device has said, full or being filled; of each version the oldest first. */
    public fun tallies(): List<Tally>

    /** Keep a count in place of the one with its key. */
    public fun keepTally(tally: Tally)

    /** Write a count again if it is still there. */
    public fun amendTally(tally: Tally)

    public fun dropTally(key: String)

    /** Forget everything. */
    public fun clear()
}
