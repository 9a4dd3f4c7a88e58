package org.antispamshield.client

import java.io.File
import java.sql.SQLException
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.antispamshield.client.judge.Judgement
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class OutboxTest {
    @TempDir lateinit var folder: File

    private fun store() = SqliteOutboxStore(File(folder, "outbox.db"))

    @Test
    fun `feedback outlives the process that kept it offline`() = runBlocking {
        val scan = clientOf("ada").scan(ScanType.TEXT, "Reply now to win a holiday")
        store().use { store ->
            val outbox = Outbox(ShieldClient("http://127.0.0.1:9") { "x" }, store)
            outbox.say(scan, scam = true, comment = "at first")
            outbox.say(scan, scam = false, comment = "  my own team ")
            val delivery = outbox.deliver()
            assertEquals(listOf(0, 1), listOf(delivery.sent, delivery.waiting))
            assertEquals(FeedbackState.WAITING, outbox.feedbackOf(scan.id)!!.state)
        }
        store().use { store ->
            val outbox = Outbox(clientOf("ada"), store)
            assertEquals(Delivery(1, 0, 0, false, null), outbox.deliver())
            assertEquals(Feedbacked(scan.id, FeedbackState.SENT, false, "my own team"), outbox.feedbackOf(scan.id))
        }
    }

    @Test
    fun `a token that has ended holds everything, and loses nothing`() = runBlocking {
        val scan = clientOf("ada").scan(ScanType.TEXT, "You win a car")
        var token = "ended"
        store().use { store ->
            val outbox = Outbox(ShieldClient(world.url) { token }, store)
            outbox.say(scan, true)
            assertEquals(Delivery(0, 0, 1, true, null), outbox.deliver())
            assertEquals(FeedbackState.SIGNED_OUT, outbox.feedbackOf(scan.id)!!.state)
            token = world.tokens.getValue("ada")
            assertEquals(1, outbox.deliver().sent)
        }
    }

    @Test
    fun `what the server refuses for good is told with its sentence`() = runBlocking {
        val foreign = clientOf("ben").scan(ScanType.TEXT, "You win a house")
        store().use { store ->
            val outbox = Outbox(clientOf("ada"), store)
            outbox.say(foreign, true)
            assertEquals(1, outbox.deliver().failed)
            val told = outbox.feedbackOf(foreign.id)!!
            assertEquals(FeedbackState.FAILED, told.state)
            assertEquals(true, told.message!!.length > 10)
            outbox.clear()
            assertNull(outbox.feedbackOf(foreign.id))
        }
    }

    @Test
    fun `it sends by itself when somebody taps`() = runBlocking {
        val scan = clientOf("ada").scan(ScanType.TEXT, "You win a farm")
        store().use { store ->
            val outbox = Outbox(clientOf("ada"), store)
            coroutineScope {
                val sending = outbox.keepSending(this)
                outbox.say(scan, true)
                withTimeout(60_000) { while (outbox.feedbackOf(scan.id)?.state != FeedbackState.SENT) delay(20) }
                sending.cancel()
            }
        }
    }

    @Test
    fun `one letter that breaks the server holds up no other`() = runBlocking {
        var now = 0L
        val client = ShieldClient(world.stubborn) { null }
        store().use { store ->
            val outbox = Outbox(client, store, { now }, { 0.0 })
            for (id in listOf("a", "b", "c", "d")) {
                outbox.say(Scan(id, ScanType.TEXT, "spam", 1.0, "sure", "sms-v1", "now"), true)
                now += 1
            }
            val rounds = listOf(10L, 600L, 9010L, 9011L).map { at ->
                now = at
                outbox.deliver().let { listOf(it.sent.toDouble(), it.waiting.toDouble(), it.retryAfterSeconds) }
            }
            assertEquals(world.stubbornRounds, rounds)
        }
    }

    @Test
    fun `a newer opinion that came while the older one travelled is not lost`() = runBlocking {
        val scan = Scan("s", ScanType.TEXT, "spam", 1.0, "sure", "sms-v1", "now")
        val sent = mutableListOf<String?>()
        store().use { store ->
            lateinit var outbox: Outbox
            val sink = object : OutboxSink by clientOf("ada") {
                override suspend fun sendFeedback(body: FeedbackBody, key: String) {
                    if (sent.isEmpty()) outbox.say(scan, true, "second")
                    sent.add(body.comment)
                }
            }
            outbox = Outbox(sink, store)
            outbox.say(scan, false, "first")
            outbox.deliver()
            assertEquals(FeedbackState.WAITING, outbox.feedbackOf("s")!!.state)
            outbox.deliver()
        }
        assertEquals(listOf<String?>("first", "second"), sent)
    }

    /** A device without room until a time, and for pauses never. */
    private class FullStore(private val store: OutboxStore, private val isFull: () -> Boolean) : OutboxStore by store {
        override fun settle(letter: Letter, outcome: Outcome, onServer: OnServer?) {
            if (isFull()) throw SQLException("database or disk is full")
            store.settle(letter, outcome, onServer)
        }

        override fun amend(letter: Letter): Unit = throw SQLException("database or disk is full")
    }

    @Test
    fun `on a full device nothing is sent twice or too early`() = runBlocking {
        var now = 0L
        store().use { store ->
            val outbox = Outbox(ShieldClient(world.full) { null }, FullStore(store) { now < 60_000 }, { now }, { 0.0 })
            for (id in listOf("a", "b", "c")) {
                outbox.say(Scan(id, ScanType.TEXT, "spam", 1.0, "sure", "sms-v1", "now"), true)
                now += 1
            }
            val rounds = listOf(10L, 20L, 60_010L, 120_010L, 150_010L).map { at ->
                now = at
                outbox.deliver()
            }
            assertEquals(world.fullRounds, rounds.map { listOf(it.sent.toDouble(), it.retryAfterSeconds) })
            assertEquals(listOf(true, true, true, false, false), rounds.map { it.unkept is SQLException })
            assertEquals(listOf(2, 2, 2, 2, 0), rounds.map { it.waiting })
            assertEquals(FeedbackState.SENT, outbox.feedbackOf("a")!!.state)
        }
    }

    @Test
    fun `a store that cannot be read ends no sending`() = runBlocking {
        var isBroken = true
        store().use { store ->
            val broken = object : OutboxStore by store {
                override fun letters(): List<Letter> = if (isBroken) throw SQLException("disk I/O error") else store.letters()
            }
            val outbox = Outbox(clientOf("ada"), broken)
            val told = mutableListOf<Delivery>()
            coroutineScope {
                val sending = outbox.keepSending(this) { told.add(it) }
                withTimeout(60_000) { while (told.isEmpty()) delay(20) }
                isBroken = false
                outbox.wake()
                withTimeout(60_000) { while (told.size < 2) delay(20) }
                sending.cancel()
            }
            assertEquals(60.0, told.first().retryAfterSeconds)
            assertEquals(Delivery(0, 0, 0, false, null), told.last())
        }
    }

    @Test
    fun `a store that cannot be read at the end of a round is tried again`() = runBlocking {
        var reads = 0
        store().use { store ->
            val broken = object : OutboxStore by store {
                override fun letters(): List<Letter> = if (++reads == 2) throw SQLException("disk I/O error") else store.letters()
            }
            val delivery = Outbox(clientOf("ada"), broken).deliver()
            assertEquals(60.0, delivery.retryAfterSeconds)
            assertEquals(true, delivery.unkept is SQLException)
        }
    }

    @Test
    fun `a pause reckoned by a clock that was wrong holds up nothing`() = runBlocking {
        val scan = clientOf("ada").scan(ScanType.TEXT, "You win a tractor")
        store().use { store ->
            val outbox = Outbox(clientOf("ada"), store)
            outbox.say(scan, true)
            val later = System.currentTimeMillis() + 30L * 86_400_000
            store.amend(store.letters().single().copy(heldUntil = later, holdsAll = true))
            assertEquals(Delivery(1, 0, 0, false, null), outbox.deliver())
        }
    }

    private fun judged(text: String, flagged: Boolean, version: String = "v1") = DeviceScan(
        "here", ScanType.TEXT, text, DeviceJudgement(version, judgement(flagged), null),
    )

    private fun judgement(flagged: Boolean) =
        if (flagged) Judgement("spam", true, Standing.SCAM, 0.9, 2.0) else Judgement("ham", false, Standing.HARMLESS, 0.9, -2.0)

    @Test
    fun `reports and counts follow the rules of feedback`() = runBlocking {
        var now = 0L
        val here = judged("r", flagged = true)
        store().use { store ->
            val outbox = Outbox(ShieldClient(world.mixed) { null }, store, { now }, { 0.0 })
            outbox.say(here, scam = false)
            now += 1
            outbox.say(Scan("b", ScanType.TEXT, "spam", 1.0, "sure", "sms-v1", "now"), true)
            for (version in listOf("v1", "v2")) repeat(Counts.FEWEST) { outbox.count(ScanType.TEXT, DeviceJudgement(version, judgement(false), null)) }
            val rounds = listOf(10L, 4010L, 4510L, 5510L).map { at ->
                now = at
                if (at == 5510L) outbox.say(here, scam = true, comment = "look again")
                outbox.deliver().let { listOf(it.sent.toDouble(), it.waiting.toDouble(), it.retryAfterSeconds) }
            }
            assertEquals(world.mixedRounds, rounds)
            assertEquals(emptyList<Tally>(), store.tallies())
            assertEquals(Feedbacked("here", FeedbackState.SENT, true, "look again"), outbox.feedbackOf("here"))
        }
    }

    @Test
    fun `what the device judged is reported, and a changed opinion goes to the server's scan`() = runBlocking {
        val client = clientOf("eve")
        client.release(ScanType.TEXT) // a version is on phones once it was asked for
        val here = judged("You win a boat, a car and a house", flagged = false, version = "sms-v1")
        store().use { store ->
            val offline = Outbox(ShieldClient("http://127.0.0.1:9") { "x" }, store)
            offline.say(here, scam = true)
            assertEquals(1, offline.deliver().waiting)
        }
        store().use { store ->
            val outbox = Outbox(client, store)
            assertEquals(Delivery(1, 0, 0, false, null), outbox.deliver())
            outbox.say(here, scam = false, comment = "my uncle's own")
            assertEquals(Delivery(1, 0, 0, false, null), outbox.deliver())
        }
        val scan = client.scans(limit = 5).items.single { it.text == here.text }
        assertEquals(false, scan.said, "one scan, about the server's own verdict")
    }
}
