package org.antispamshield.client

import java.io.File
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
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
            val outbox = Outbox(store, { now }, { 0.0 }, client::sendFeedback)
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
            outbox = Outbox(store) { body, _ ->
                if (sent.isEmpty()) outbox.say(scan, true, "second")
                sent.add(body.comment)
            }
            outbox.say(scan, false, "first")
            outbox.deliver()
            assertEquals(FeedbackState.WAITING, outbox.feedbackOf("s")!!.state)
            outbox.deliver()
        }
        assertEquals(listOf<String?>("first", "second"), sent)
    }
}
