package org.antispamshield.client

import java.io.File
import kotlin.math.abs
import kotlin.random.Random
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class CountingTest {
    @TempDir lateinit var folder: File

    private fun onServer(): Int {
        val versions = (raw("GET", "/api/v2/device/text/counts", world.reviewer) as JsonObject).getValue("data") as JsonArray
        return versions.sumOf { it.jsonObject.getValue("scans").jsonPrimitive.int }
    }

    @Test
    fun `a quarter of the answers is drawn by lot`() {
        val random = Random(7)
        val counts = (1..12_000).fold(Counts()) { counts, _ -> counts.counted(Standing.SCAM, random::nextDouble) }
        assertEquals(12_000, counts.total)
        assertTrue(abs(counts.scam - 10_000) < 300, "$counts")
        assertTrue(abs(counts.unsure - 1_000) < 150, "$counts")
    }

    @Test
    fun `answers make the lots that all clients make of them`() {
        val draws = world.counting.draws.iterator()
        val tallies = LinkedHashMap<String, Tally>()
        for ((version, answer) in world.counting.answers) {
            val one = tallies.values.toList().tallied(ScanType.TEXT, version, Standing.valueOf(answer.uppercase()), { "${tallies.size}" }, draws::next)
            tallies[one.key] = one
        }
        val made = tallies.values.map { listOf(it.version, "${it.counts.harmless}", "${it.counts.scam}", "${it.counts.unsure}") }
        assertEquals(world.counting.tallies.map { row -> row.jsonArray.map { it.jsonPrimitive.content } }, made)
        assertEquals(false, draws.hasNext())
    }

    @Test
    fun `answers are sent in lots, once, and wait for a server that is away`() = runBlocking {
        val judges = judgesOfWorld("counting")
        judges.follow(ScanType.TEXT)
        val said = judges.judge(ScanType.TEXT, "See you at practice")!!
        val before = onServer()
        val file = File(folder, "outbox.db")
        SqliteOutboxStore(file).use { store ->
            val away = Outbox(ShieldClient("http://127.0.0.1:9") { "x" }, store, random = { 0.0 })
            repeat(Counts.FEWEST - 1) { away.count(ScanType.TEXT, said) }
            assertEquals(null, away.deliver().retryAfterSeconds, "too few to hide in")
            away.count(ScanType.TEXT, said)
            assertEquals(Delivery(0, 0, 0, false, 0.5), away.deliver())
            clientOf("ada").sendCounts(store.tallies().single()) // the server has it, and the phone never heard of it
            away.count(ScanType.TEXT, said) // the lot on its way does not grow
        }
        SqliteOutboxStore(file).use { store ->
            Outbox(clientOf("ada"), store).deliver()
            assertEquals(before + Counts.FEWEST, onServer(), "the key makes it count once")
            assertEquals(1, store.tallies().single().counts.total)
        }
    }

    @Test
    fun `nobody is told when a lot is full`() = runBlocking {
        var now = 0L
        val judges = judgesOfWorld("counting-time")
        judges.follow(ScanType.TEXT)
        val said = judges.judge(ScanType.TEXT, "See you at practice")!!
        SqliteOutboxStore(File(folder, "outbox.db")).use { store ->
            val outbox = Outbox(clientOf("ada"), store, { now }, { 0.5 })
            repeat(Counts.FEWEST) { outbox.count(ScanType.TEXT, said) }
            assertEquals(1_800.0, outbox.deliver().retryAfterSeconds)
            now = 1_800_000
            assertEquals(null, outbox.deliver().retryAfterSeconds)
            assertEquals(emptyList<Tally>(), store.tallies())
        }
    }
}
