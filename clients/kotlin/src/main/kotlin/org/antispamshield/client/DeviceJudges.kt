package org.antispamshield.client

import java.time.Clock
import java.time.OffsetDateTime
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import org.antispamshield.client.judge.Judge
import org.antispamshield.client.judge.Judgement
import org.antispamshield.client.judge.KnownMatch
import org.antispamshield.client.judge.ReasonReader
import org.antispamshield.client.judge.Why

/** What the device says of a text, and by which version. */
public data class DeviceJudgement(
    val version: String,
    /** What the judge has said: it is what is counted, and reported. */
    val judgement: Judgement,
    /** What reviewers have decided of messages like it. */
    val known: KnownMatch?,
) {
    /** Whether people are told of a scam, or that it is closer to one. */
    public val flagged: Boolean get() = known != null || judgement.isScam

    /** What to tell people: a known scam is one, whatever the judge says; its words with another link are a reason to hesitate. */
    val standing: Standing get() = if (known == null) judgement.standing else if (known.confirmed) Standing.SCAM else Standing.UNSURE
}

/**
 * The judges on this device: follow the release in force, and judge by it without a network. Nothing that was judged leaves the device by this
 * class; [Outbox.count] tells the server how often each answer was given, without a text, and [Outbox.say] reports a verdict.
 *
 * @param source Usually the [ShieldClient].
 * @param pins The keys that came with the app.
 * @param store Where judges outlive the process.
 */
public class DeviceJudges(private val source: ReleaseSource, private val pins: Pins, private val store: ShelfStore, private val clock: Clock = Clock.systemUTC()) {
    private class Opened(val shelf: Shelf, val judge: Judge?)

    private val opened = ConcurrentHashMap<ScanType, AtomicReference<Opened>>()
    private val following = Mutex()

    /** What the judge on this device says; null: there is none for such messages, and only the server can be asked. */
    public suspend fun judge(type: ScanType, text: String): DeviceJudgement? = withContext(Dispatchers.Default) {
        val kept = loaded(type)
        val version = kept.shelf.current?.release?.version
        if (kept.judge == null || version == null) null else DeviceJudgement(version, kept.judge.judge(text), known(type, kept.judge, text))
    }

    /**
     * Why the device has said so, and what to do now, in the reader's language; null: no judge for such messages. Where reviewers have decided
     * ([DeviceJudgement.known]), say that first.
     */
    public suspend fun explain(type: ScanType, text: String, said: DeviceJudgement, reader: ReasonReader): Why? = withContext(Dispatchers.Default) {
        val sure = said.standing != Standing.UNSURE
        val why = loaded(type).judge?.explain(text, type, said.flagged, sure, reader)
        // What the filter makes of a known scam as a whole is not why.
        if (said.known == null) why else why?.copy(reasons = why.reasons.filter { it.kind != "whole" })
    }

    /** The version that judges such messages here; null: none. */
    public suspend fun version(type: ScanType): String? = withContext(Dispatchers.IO) { loaded(type).shelf.current?.release?.version }

    /**
     * Look up the known scams and the release in force, and change to it; tell whether anything has changed. An undo is such a change.
     *
     * @throws Untrusted A signature, a digest or the number does not hold: the judge that is here goes on.
     * @throws Unreachable No answer: the same.
     */
    public suspend fun follow(type: ScanType): Boolean = following.withLock {
        withContext(Dispatchers.IO) {
            val known = store.readKnown(type)
            source.knownScams(type)?.let { signed -> followedKnown(known, signed, type, pins).takeIf { it !== known }?.let { store.writeKnown(type, it) } }
            val before = loaded(type).shelf
            val next = followed(before, type, source, pins)
            if (next === before) return@withContext false
            val judge = next.current?.opened()
            store.write(type, next)
            place(type).set(Opened(next, judge))
            true
        }
    }

    /**
     * Look now and every hour until [scope] ends, so that an undo is here within the hour. Call [follow] too when the app comes to the front and when the
     * network returns. What goes wrong is given to [failed]; the judge that is here goes on.
     */
    public fun keepFollowing(
        scope: CoroutineScope,
        types: List<ScanType> = ScanType.entries,
        everyMilliseconds: Long = 3_600_000,
        failed: (ScanType, Exception) -> Unit = { _, _ -> },
    ): Job = scope.launch {
        while (true) {
            for (type in types) {
                try {
                    follow(type)
                } catch (error: CancellationException) {
                    throw error
                } catch (error: Exception) {
                    failed(type, error)
                }
            }
            delay(everyMilliseconds)
        }
    }

    private fun known(type: ScanType, judge: Judge, text: String): KnownMatch? {
        val scams = store.readKnown(type) ?: return null
        val until = runCatching { OffsetDateTime.parse(scams.until).toInstant() }.getOrNull() ?: return null
        return if (clock.instant() < until) judge.known(scams, text) else null
    }

    private fun place(type: ScanType) = opened.computeIfAbsent(type) {
        val shelf = store.read(type)
        // A judge of a newer app, which this one cannot compute, is none.
        AtomicReference(Opened(shelf, runCatching { shelf.current?.opened() }.getOrNull()))
    }

    private fun loaded(type: ScanType): Opened = place(type).get()
}
