package org.antispamshield.client

import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.random.Random

/** What an outbox does with the end of a try; docs/phone.md has the table. */
public sealed interface Rule {
    /** The server will never take it: drop the letter and show the sentence. */
    public data class Refused(val message: String) : Rule

    /** Not known here: keep everything, ask for a new token. */
    public data object SignIn : Rule

    /** Keep it and try again after so long. Before that, what is [held] is not sent. */
    public data class Wait(val seconds: Double, val held: Held) : Rule
}

/** What is not sent during a pause: everything; this letter alone; nothing, as after a lost network, whose return ends the pause. */
public enum class Held { ALL, LETTER, NONE }

/** Whatever a server asks for: longer than a day nobody waits, and a longer pause was reckoned by a clock that was wrong. */
internal const val LONGEST_HOLD_SECONDS = 86_400.0
private const val FIRST_SECONDS = 1.0
private const val LONGEST_SECONDS = 300.0

/** 4xx that say nothing against the letter: too slow, too early, too many. */
private val PASSING = setOf(408, 425, 429)

/**
 * Seconds to wait after [attempts] tries without success: doubling from one second up to five minutes, of which a random half
 * is kept, so that phones that lost the same server do not come back at the same moment.
 */
public fun pauseSeconds(attempts: Int, random: () -> Double = Random::nextDouble): Double {
    val whole = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0.pow(min(30, max(0, attempts - 1))))
    return whole * (0.5 + random() / 2)
}

/** What to do after the [attempts]-th try of a letter has ended by [error]. */
public fun ruleFor(error: ShieldException, attempts: Int, random: () -> Double = Random::nextDouble): Rule {
    if (error !is Problem) return Rule.Wait(pauseSeconds(attempts, random), Held.NONE)
    if (error.status == 401) return Rule.SignIn
    if (error.status < 500 && error.status !in PASSING) return Rule.Refused(error.message.orEmpty())
    // Never sooner than asked for, and not all at that very second.
    val seconds = error.retryAfterSeconds?.let { min(LONGEST_HOLD_SECONDS, it + random() * max(1.0, it / 10.0)) } ?: pauseSeconds(attempts, random)
    // A fault over one letter (500) must not hold up the others.
    return Rule.Wait(seconds, if (error.status == 500) Held.LETTER else Held.ALL)
}
