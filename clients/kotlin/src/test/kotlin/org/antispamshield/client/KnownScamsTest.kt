package org.antispamshield.client

import java.io.File
import java.time.Clock
import java.time.Instant
import java.time.ZoneOffset
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.antispamshield.client.judge.KnownScams
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

@Serializable
private data class Known(val known: KnownScams, val said: Map<String, String?>, val alone: Map<String, KnownScams>)

class KnownScamsTest {
    private val told = Json.decodeFromString<Known>(File(world.known).readText())
    private val keys = TrustedKeys(emptyMap())

    @Test
    fun `copies are known, and the same words with another host are not`() {
        val judge = judgeOfWorld()
        val said = told.said.keys.associateWith { text -> judge.known(told.known, text)?.let { if (it.confirmed) "confirmed" else "checking" } }
        assertEquals(told.said, said)
    }

    @Test
    fun `odd texts have the sketches that Python gives them`() {
        val judge = judgeOfWorld()
        assertTrue(told.alone.size > 30)
        for ((text, list) in told.alone) assertNotNull(judge.known(list, text), text)
    }

    @Test
    fun `a list is believed by its signature and its number, and for its time`() = runBlocking {
        assertThrows<Untrusted> { followedKnown(null, SignedRelease("{}", "x", "y"), ScanType.TEXT, Pins(keys, keys)) }
        val keysOfApi = raw("GET", "/api/v2/device/keys", world.tokens.getValue("ada")) as kotlinx.serialization.json.JsonObject
        val data = keysOfApi.getValue("data") as kotlinx.serialization.json.JsonObject
        fun pinned(name: String) = TrustedKeys(Json.decodeFromString<Map<String, String>>(data.getValue(name).toString()))
        val pins = Pins(pinned("releases"), pinned("packages"))
        val signed = clientOf("ada").knownScams(ScanType.TEXT)!!
        val list = followedKnown(null, signed, ScanType.TEXT, pins)
        assertThrows<Untrusted> { followedKnown(null, signed, ScanType.VOICE, pins) }
        assertThrows<Untrusted> { followedKnown(null, signed.copy(statement = signed.statement.replace("\"entries\":[]", "\"entries\": []")), ScanType.TEXT, pins) }
        val newer = list.copy(number = list.number + 1)
        assertEquals(newer, followedKnown(newer, signed, ScanType.TEXT, pins))
        val store = FileShelfStore(File(world.folder, "known"))
        DeviceJudges(clientOf("ada"), pins, store).follow(ScanType.TEXT)
        assertEquals(list.entries, store.readKnown(ScanType.TEXT)!!.entries)
        store.writeKnown(ScanType.TEXT, told.known)
        val text = told.said.keys.first()
        fun at(moment: String) = runBlocking { DeviceJudges(clientOf("ada"), pins, store, Clock.fixed(Instant.parse(moment), ZoneOffset.UTC)).judge(ScanType.TEXT, text)!! }
        assertEquals(Standing.SCAM, at("2029-12-31T00:00:00Z").standing)
        assertNull(at("2030-01-02T00:00:00Z").known)
    }
}
