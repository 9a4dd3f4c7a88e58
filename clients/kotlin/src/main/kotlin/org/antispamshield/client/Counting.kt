package org.antispamshield.client

import java.security.SecureRandom

/**
 * How often the judge on the device has spoken, for rates that have a denominator. No text leaves, and no single answer can be read off: answers are
 * sent in lots of [FEWEST], and a quarter of them are drawn by lot. [Outbox.count] counts and sends them.
 */
public data class Counts(val harmless: Int = 0, val scam: Int = 0, val unsure: Int = 0) {
    public val total: Int get() = harmless + scam + unsure
    public val isEnough: Boolean get() = total >= FEWEST

    /** These with one more answer: the true one, or one by lot. [draw] gives numbers in [0, 1). */
    public fun counted(answer: Standing, draw: () -> Double = SECURE::nextDouble): Counts =
        when (if (draw() < KEPT_SHARE) answer else ANSWERS[(draw() * ANSWERS.size).toInt()]) {
            Standing.HARMLESS -> copy(harmless = harmless + 1)
            Standing.SCAM -> copy(scam = scam + 1)
            Standing.UNSURE -> copy(unsure = unsure + 1)
        }

    public companion object {
        /** As the server asks for it: `shield.wire.device`. */
        public const val FEWEST: Int = 20
        public const val KEPT_SHARE: Double = 0.75
        private val ANSWERS = listOf(Standing.HARMLESS, Standing.SCAM, Standing.UNSURE)
        private val SECURE = SecureRandom()
    }
}

/** Answers of one version, counted. A full one is a lot that waits to be sent: it changes no more, so that its key counts it once. */
public data class Tally(
    val type: ScanType,
    val version: String,
    override val key: String,
    val counts: Counts = Counts(),
    override val attempts: Int = 0,
    override val heldUntil: Long = 0,
    override val holdsAll: Boolean = false,
) : Waiting

/** The tally that one more answer makes: of the one that is being filled, or of a new one. It takes the place of the one with its key. */
public fun List<Tally>.tallied(type: ScanType, version: String, answer: Standing, key: () -> String, draw: (() -> Double)? = null): Tally {
    val filling = firstOrNull { it.type == type && it.version == version && !it.counts.isEnough } ?: Tally(type, version, key())
    return filling.copy(counts = if (draw == null) filling.counts.counted(answer) else filling.counts.counted(answer, draw))
}
