package org.antispamshield.client

import java.io.File
import java.util.UUID
import kotlin.math.abs
import kotlin.random.Random
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class CountingTest {
    private val store = FileShelfStore(File(world.folder, "counting"))
    private val judges = judgesOfWorld("counting")

    private fun onServer(): Int {
        val versions = (raw("GET", "/api/v2/device/text/counts", world.reviewer) as JsonObject).getValue("data") as JsonArray
        return versions.sumOf { it.jsonObject.getValue("scans").jsonPrimitive.int }
    }

    @Test
    fun `a quarter of the answers is drawn by lot`() {
        val random = Random(7)
        val counts = (1..12_000).fold(Counts()) { counts, _ -> counts.counted(Standing.SCAM, random) }
        assertEquals(12_000, counts.total)
        assertTrue(abs(counts.scam - 10_000) < 300, "$counts")
        assertTrue(abs(counts.unsure - 1_000) < 150, "$counts")
    }

    @Test
    fun `answers are sent in lots, once, and wait for a server that is away`() = runBlocking {
        val client = clientOf("ada")
        judges.follow(ScanType.TEXT)
        val said = judges.judge(ScanType.TEXT, "See you at practice")!!
        val before = onServer()
        repeat(Counts.FEWEST - 1) { judges.count(ScanType.TEXT, said) }
        judges.sendCounts(ScanType.TEXT, client)
        assertEquals(before, onServer(), "too few to hide in")
        judges.count(ScanType.TEXT, said)
        val away = object : CountSink {
            override suspend fun sendCounts(type: ScanType, tally: Tally) = throw Unreachable("No connection.")
        }
        assertThrows<Unreachable> { runBlocking { judges.sendCounts(ScanType.TEXT, away) } }
        val tally = store.readTallies(ScanType.TEXT).single()
        client.sendCounts(ScanType.TEXT, tally) // the server has it, and the phone never heard of it
        judges.sendCounts(ScanType.TEXT, client)
        assertEquals(before + Counts.FEWEST, onServer(), "the key makes it count once")
        assertEquals(emptyList<Tally>(), store.readTallies(ScanType.TEXT))
    }

    @Test
    fun `what the server will never take is dropped`() = runBlocking {
        val other = judgesOfWorld("counting-never")
        val place = FileShelfStore(File(world.folder, "counting-never"))
        place.writeTallies(ScanType.TEXT, listOf(Tally("sms-v999", UUID.randomUUID().toString(), Counts(harmless = 30))))
        other.sendCounts(ScanType.TEXT, clientOf("ada"))
        assertEquals(emptyList<Tally>(), place.readTallies(ScanType.TEXT))
    }
}
