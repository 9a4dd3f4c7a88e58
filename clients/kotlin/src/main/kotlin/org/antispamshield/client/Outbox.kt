package org.antispamshield.client

import java.util.UUID
import kotlin.math.max
import kotlin.random.Random
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** Where the feedback on one scan stands, as this device knows it. */
public enum class FeedbackState { SENDING, WAITING, SIGNED_OUT, SENT, FAILED }

/** What was said of one scan, and where it stands; [message] says why the server refused it. */
public data class Feedbacked(val scanId: String, val state: FeedbackState, val scam: Boolean, val comment: String, val message: String? = null)

/** How a round of sending ended. */
public data class Delivery(
    val sent: Int,
    val failed: Int,
    val waiting: Int,
    /** The server does not know the token: ask for a new one; nothing is lost. */
    val signedOut: Boolean,
    /** When to try again; null where nothing waits, or only a token is missing. */
    val retryAfterSeconds: Double?,
)

/**
 * Feedback that survives a tunnel: every letter is kept first and sent from where it is kept, so there is one way.
 *
 * [keepSending] sends by itself in a scope of the app; on Android a `CoroutineWorker` calls [deliver].
 */
public class Outbox(
    private val store: OutboxStore,
    private val now: () -> Long = System::currentTimeMillis,
    private val random: () -> Double = Random::nextDouble,
    private val send: suspend (FeedbackBody, String) -> Unit,
) {
    public constructor(client: ShieldClient, store: OutboxStore) : this(store, send = client::sendFeedback)

    private val sender = Mutex()
    private val woken = Channel<Unit>(Channel.CONFLATED)
    private val told = MutableSharedFlow<Feedbacked>(extraBufferCapacity = 64, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    @Volatile private var sending: String? = null

    @Volatile private var signedOut = false

    /** Every change, as it happens; what stands now is [feedbackOf]. */
    public val changes: SharedFlow<Feedbacked> = told.asSharedFlow()

    /**
     * Keep what somebody says of a scan; it is sent as soon as that is possible.
     *
     * Returns once it is kept: from then on it cannot be lost. A newer opinion replaces one that still waits.
     */
    public suspend fun say(scan: Scan, scam: Boolean, comment: String = "") {
        val letter = Letter(UUID.randomUUID().toString(), scan.feedback(scam, comment), scam, now())
        withContext(Dispatchers.IO) { store.post(letter) }
        tell(letter, FeedbackState.WAITING)
        wake()
    }

    /** Try again now: the network has returned, the app was opened, there is a new token. */
    public fun wake() {
        woken.trySend(Unit)
    }

    /** Where the feedback on a scan stands; null where this device knows of none. */
    public suspend fun feedbackOf(scanId: String): Feedbacked? = withContext(Dispatchers.IO) {
        val letter = store.letters().find { it.body.scanId == scanId }
        if (letter != null) {
            val state = if (letter.key == sending) FeedbackState.SENDING else if (signedOut) FeedbackState.SIGNED_OUT else FeedbackState.WAITING
            standing(letter, state)
        } else {
            store.outcome(scanId)?.let { Feedbacked(it.scanId, if (it.sent) FeedbackState.SENT else FeedbackState.FAILED, it.scam, it.comment, it.message) }
        }
    }

    /** How many letters wait. */
    public suspend fun waiting(): Int = withContext(Dispatchers.IO) { store.letters().size }

    /** Forget all letters: a person signs out for good. Ask first when [waiting] is not 0. */
    public suspend fun clear(): Unit = withContext(Dispatchers.IO) { store.clear() }

    /** Send what waits now, after each [wake], and when a pause is over, until the scope ends. */
    public fun keepSending(scope: CoroutineScope): Job = scope.launch {
        while (true) {
            val pause = deliver().retryAfterSeconds
            if (pause == null) woken.receive() else withTimeoutOrNull((pause * 1000).toLong()) { woken.receive() }
        }
    }

    /** Send everything that may be sent now, oldest first. One caller sends at a time, the others wait for it. */
    public suspend fun deliver(): Delivery = sender.withLock { withContext(Dispatchers.IO) { sendAll() } }

    private suspend fun sendAll(): Delivery {
        val round = Round()
        signedOut = false
        val letters = store.letters()
        val stopped = letters.any { it.holdsAll && isHeld(it) }
        for ((index, letter) in letters.withIndex()) {
            if (stopped || isHeld(letter)) continue
            // Replaced by a newer opinion while others were sent: that one follows in the next round.
            if (store.letters().none { it.key == letter.key }) continue
            if (sendOne(letter, round)) continue
            val state = if (signedOut) FeedbackState.SIGNED_OUT else FeedbackState.WAITING
            letters.drop(index).forEach { tell(it, state) }
            break
        }
        val left = store.letters()
        return Delivery(round.sent, round.failed, left.size, signedOut, if (left.isEmpty() || signedOut) null else round.pause ?: nextTry(left))
    }

    /** The end of a pause of all, else of the first pause of one. */
    private fun nextTry(left: List<Letter>): Double? {
        val held = left.filter(::isHeld)
        val until = held.filter { it.holdsAll }.maxOfOrNull { it.heldUntil } ?: held.minOfOrNull { it.heldUntil } ?: return null
        return max(0.0, (until - now()) / 1000.0)
    }

    private fun isHeld(letter: Letter) = letter.heldUntil > now()

    private class Round(var sent: Int = 0, var failed: Int = 0, var pause: Double? = null)

    /** Send one letter; tell whether the next one may be tried. */
    private suspend fun sendOne(letter: Letter, round: Round): Boolean {
        val comment = letter.body.comment.orEmpty()
        sending = letter.key
        tell(letter, FeedbackState.SENDING)
        try {
            send(letter.body, letter.key)
            store.settle(letter, Outcome(letter.body.scanId, true, letter.scam, comment, null, now()))
            round.sent += 1
            tell(letter, FeedbackState.SENT)
            return true
        } catch (error: ShieldException) {
            when (val rule = ruleFor(error, letter.attempts + 1, random)) {
                is Rule.Refused -> {
                    store.settle(letter, Outcome(letter.body.scanId, false, letter.scam, comment, rule.message, now()))
                    round.failed += 1
                    tell(letter, FeedbackState.FAILED, rule.message)
                    return true
                }
                Rule.SignIn -> {
                    signedOut = true
                    return false
                }
                is Rule.Wait -> {
                    val until = if (rule.held == Held.NONE) 0 else now() + (1000 * rule.seconds).toLong()
                    store.amend(letter.copy(attempts = letter.attempts + 1, heldUntil = until, holdsAll = rule.held == Held.ALL))
                    if (rule.held == Held.LETTER) {
                        tell(letter, FeedbackState.WAITING)
                        return true
                    }
                    round.pause = rule.seconds
                    return false
                }
            }
        } finally {
            sending = null
        }
    }

    private fun tell(letter: Letter, state: FeedbackState, message: String? = null) {
        told.tryEmit(standing(letter, state, message))
    }

    private fun standing(letter: Letter, state: FeedbackState, message: String? = null) =
        Feedbacked(letter.body.scanId, state, letter.scam, letter.body.comment.orEmpty(), message)
}
