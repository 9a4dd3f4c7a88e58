package org.antispamshield.client

import java.util.UUID
import kotlin.math.max
import kotlin.random.Random
import kotlinx.coroutines.CancellationException
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
    /**
     * Why the store could not keep what became of one, e.g. as the device is full: tell the person to make room. Nothing is lost: it is noted when there
     * is some, and not sent again meanwhile.
     */
    val unkept: Exception? = null,
)

/** Where an outbox sends what it keeps: [ShieldClient], or an app's own transport. Each call throws [Unreachable] or a [Problem]. */
public interface OutboxSink {
    /** `POST /feedback`; the key makes it count once, as in all calls. */
    public suspend fun sendFeedback(body: FeedbackBody, key: String)

    /** `POST /device/reports`. */
    public suspend fun sendDeviceReport(report: DeviceReport, key: String): DeviceReported

    /** `POST /device/{scanType}/counts`. */
    public suspend fun sendCounts(tally: Tally)
}

/**
 * Feedback, reports and counts that survive a tunnel: everything is kept first and sent from where it is kept, so there is one way.
 *
 * [keepSending] sends by itself in a scope of the app; on Android a `CoroutineWorker` calls [deliver].
 */
public class Outbox(
    private val sink: OutboxSink,
    private val store: OutboxStore,
    private val now: () -> Long = System::currentTimeMillis,
    private val random: () -> Double = Random::nextDouble,
) {
    private val unkept = Unkept()
    private val counting = Mutex()
    private val sender = Mutex()
    private val woken = Channel<Unit>(Channel.CONFLATED)
    private val told = MutableSharedFlow<Feedbacked>(extraBufferCapacity = 64, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    /** What is counted now; one that was noted late counts when it is noted. */
    private var round = Round()

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
        keep(Letter(UUID.randomUUID().toString(), scan.feedback(scam, comment), scam, now()))
    }

    /**
     * The same for a message that this device has judged: it is reported with its text, so that the server judges it again. Once it has, a changed
     * opinion goes to the server's scan.
     */
    public suspend fun say(scan: DeviceScan, scam: Boolean, comment: String = "") {
        keep(Letter(UUID.randomUUID().toString(), scan.feedback(scam, comment), scam, now(), report = scan.report(scam, comment)))
    }

    private suspend fun keep(letter: Letter) {
        withContext(Dispatchers.IO) { store.post(letter) }
        tell(letter, FeedbackState.WAITING)
        wake()
    }

    /**
     * Count an answer that a person was given by this device alone: what the judge has said, never what was known. No text is kept or sent.
     *
     * A quarter of the answers is drawn by lot, and they are sent in lots of 20 of one version, at a random moment of the hour after a lot is full, so
     * that neither an answer nor its time can be read off.
     */
    public suspend fun count(type: ScanType, said: DeviceJudgement) {
        val full = counting.withLock {
            withContext(Dispatchers.IO) {
                val tally = store.tallies().tallied(type, said.version, said.judgement.standing, { UUID.randomUUID().toString() })
                val isFull = tally.counts.isEnough
                store.keepTally(if (isFull) tally.copy(heldUntil = now() + (random() * HOUR_MILLISECONDS).toLong()) else tally)
                isFull
            }
        }
        if (full) wake()
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

    /** How many letters wait. Counts are not among them: nobody has to wait for those. */
    public suspend fun waiting(): Int = withContext(Dispatchers.IO) { unkept.of(store.letters()).size }

    /** Forget all letters and counts: a person signs out for good. Ask first when [waiting] is not 0. */
    public suspend fun clear(): Unit = withContext(Dispatchers.IO) {
        unkept.clear()
        store.clear()
    }

    /**
     * Send what waits now, after each [wake], and when a pause is over, until the scope ends. Nothing else ends it, no full device either:
     * [delivered] is told of each round.
     */
    public fun keepSending(scope: CoroutineScope, delivered: (Delivery) -> Unit = {}): Job = scope.launch {
        while (true) {
            val delivery = deliver()
            delivered(delivery)
            val pause = delivery.retryAfterSeconds
            if (pause == null) woken.receive() else withTimeoutOrNull((pause * 1000).toLong()) { woken.receive() }
        }
    }

    /** Send everything that may be sent now, oldest first. One caller sends at a time, the others wait for it. */
    public suspend fun deliver(): Delivery = sender.withLock { withContext(Dispatchers.IO) { sendAll() } }

    private fun waitingNow(): List<Waiting> = unkept.of(store.letters() + store.tallies().filter { it.counts.isEnough })

    private suspend fun sendAll(): Delivery {
        round = Round()
        signedOut = false
        try {
            // What has arrived is noted before anything else goes: it must not go twice.
            unkept.catchUp()
            send()
        } catch (error: CancellationException) {
            throw error
        } catch (error: Exception) { // of whatever store an app brings
            hasFailed(error)
        }
        val left = try {
            waitingNow()
        } catch (error: Exception) {
            hasFailed(error)
            null
        }
        val pause = if (signedOut) null else round.pause ?: left?.let(::nextTry)
        return Delivery(round.sent, round.failed, left?.count { it is Letter } ?: 0, signedOut, if (left?.isEmpty() == true && round.unkept == null) null else pause, round.unkept)
    }

    /** The store could not be read or written. */
    private fun hasFailed(error: Exception) {
        round.unkept = error
        round.pause = STORE_SECONDS
    }

    private suspend fun send() {
        val waiting = waitingNow()
        if (waiting.any { it.holdsAll && isHeld(it) }) return
        for ((index, one) in waiting.withIndex()) {
            if (isHeld(one)) continue
            // Replaced by a newer opinion while others were sent: that one follows in the next round.
            if (waitingNow().none { it.key == one.key }) continue
            if (sendOne(one)) continue
            val state = if (signedOut) FeedbackState.SIGNED_OUT else FeedbackState.WAITING
            waiting.drop(index).forEach { tell(it, state) }
            break
        }
    }

    /** The end of a pause of all, else of the first pause of one. */
    private fun nextTry(left: List<Waiting>): Double? {
        val held = left.filter(::isHeld)
        val until = held.filter { it.holdsAll }.maxOfOrNull { it.heldUntil } ?: held.minOfOrNull { it.heldUntil } ?: return null
        return max(0.0, (until - now()) / 1000.0)
    }

    /** A longer pause than any is no pause: it was reckoned by a clock that was wrong. */
    private fun isHeld(one: Waiting) = now().let { one.heldUntil > it && one.heldUntil <= it + (1000 * LONGEST_HOLD_SECONDS).toLong() }

    private class Round(var sent: Int = 0, var failed: Int = 0, var pause: Double? = null, var unkept: Exception? = null)

    /** Send one; tell whether the next one may be tried. */
    private suspend fun sendOne(one: Waiting): Boolean {
        sending = one.key
        tell(one, FeedbackState.SENDING)
        try {
            if (one is Tally) sink.sendCounts(one)
            val onServer = if (one is Letter) sent(one) else null
            settle(one, null, onServer)
            return true
        } catch (error: ShieldException) {
            when (val rule = ruleFor(error, one.attempts + 1, random)) {
                is Rule.Refused -> {
                    settle(one, rule.message, null)
                    return true
                }
                Rule.SignIn -> {
                    signedOut = true
                    return false
                }
                is Rule.Wait -> return hold(one, rule)
            }
        } finally {
            sending = null
        }
    }

    /** Send a letter; return where the server has it from now on, if it was reported to it by this. */
    private suspend fun sent(letter: Letter): OnServer? {
        val report = letter.report
        val there = if (report == null) null else store.onServer(letter.body.scanId)
        if (report != null && there == null) return sink.sendDeviceReport(report, letter.key).let { OnServer(it.scanId, it.verdict) }
        sink.sendFeedback(if (report == null || there == null) letter.body else report.feedbackOn(there, letter.body), letter.key)
        return null
    }

    /** Keep what became of one; [refused] says why the server does not take it. Of counts nothing is told: either way they are gone. */
    private fun settle(one: Waiting, refused: String?, onServer: OnServer?) {
        if (one !is Letter) return unkept.settle(one.key) { store.dropTally(one.key) }
        val outcome = Outcome(one.body.scanId, refused == null, one.scam, one.body.comment.orEmpty(), refused, now())
        unkept.settle(one.key) {
            store.settle(one, outcome, onServer)
            if (refused == null) round.sent += 1 else round.failed += 1
            tell(one, if (refused == null) FeedbackState.SENT else FeedbackState.FAILED, refused)
        }
    }

    /** Keep one for later; tell whether the next one may be tried. Where the pause cannot be written, it holds all the same. */
    private fun hold(one: Waiting, rule: Rule.Wait): Boolean {
        val until = if (rule.held == Held.NONE) 0 else now() + (1000 * rule.seconds).toLong()
        val all = rule.held == Held.ALL
        try {
            when (one) {
                is Letter -> one.copy(attempts = one.attempts + 1, heldUntil = until, holdsAll = all).let { unkept.amend(it) { store.amend(it) } }
                is Tally -> one.copy(attempts = one.attempts + 1, heldUntil = until, holdsAll = all).let { unkept.amend(it) { store.amendTally(it) } }
            }
        } catch (error: Exception) {
            hasFailed(error)
        }
        tell(one, FeedbackState.WAITING)
        if (rule.held != Held.LETTER) round.pause = rule.seconds
        return rule.held == Held.LETTER && round.unkept == null
    }

    private fun tell(one: Waiting, state: FeedbackState, message: String? = null) {
        if (one is Letter) told.tryEmit(standing(one, state, message))
    }

    private fun standing(letter: Letter, state: FeedbackState, message: String? = null) =
        Feedbacked(letter.body.scanId, state, letter.scam, letter.body.comment.orEmpty(), message)

    private companion object {
        const val HOUR_MILLISECONDS = 3_600_000

        /** A store that could not be written is tried again after so long: somebody has to make room. */
        const val STORE_SECONDS = 60.0
    }
}
