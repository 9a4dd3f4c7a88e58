package org.antispamshield.client

import java.security.SecureRandom
import kotlin.random.Random
import kotlin.random.asKotlinRandom
import kotlinx.serialization.Serializable

/**
 * How often the judge on the device has spoken, for rates that have a denominator. No text leaves, and no single answer can be read off: answers are
 * sent in lots of at least [FEWEST], and a quarter of them are drawn by lot.
 */
@Serializable
public data class Counts(val harmless: Int = 0, val scam: Int = 0, val unsure: Int = 0) {
    public val total: Int get() = harmless + scam + unsure
    public val isEnough: Boolean get() = total >= FEWEST

    /** These with one more answer: the true one, or one by lot. */
    public fun counted(answer: Standing, random: Random = SECURE): Counts {
        val said = if (random.nextDouble() < KEPT_SHARE) answer else Standing.entries.random(random)
        return when (said) {
            Standing.HARMLESS -> copy(harmless = harmless + 1)
            Standing.SCAM -> copy(scam = scam + 1)
            Standing.UNSURE -> copy(unsure = unsure + 1)
        }
    }

    public companion object {
        /** As the server asks for it: `shield.wire.device`. */
        public const val FEWEST: Int = 20
        public const val KEPT_SHARE: Double = 0.75
        private val SECURE = SecureRandom().asKotlinRandom()
    }
}

/** One count under way, of one version. The [key] makes a repeated sending count once. */
@Serializable
public data class Tally(val version: String, val key: String, val counts: Counts)

/** Where counts are sent: [ShieldClient], or an app's own transport. */
public interface CountSink {
    /** `POST /device/{scanType}/counts`. */
    public suspend fun sendCounts(type: ScanType, tally: Tally)
}
