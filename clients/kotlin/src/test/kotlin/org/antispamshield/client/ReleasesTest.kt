package org.antispamshield.client

import java.io.File
import java.util.Base64
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

@Serializable
private data class Step(val release: SignedRelease?, val files: Map<String, String>) : ReleaseSource {
    override suspend fun release(type: ScanType) = release ?: throw Unreachable("away")

    override suspend fun file(type: ScanType, digest: String, name: String): ByteArray =
        Base64.getDecoder().decode(files["$digest/$name"] ?: throw Unreachable("away"))
}

@Serializable
private data class Stories(val pins: Map<String, Map<String, String>>, val steps: List<Step>, val told: List<JsonArray>, val good: Step, val tampered: Map<String, Step>)

class ReleasesTest {
    private val stories = Json.decodeFromString<Stories>(File(world.releases).readText())
    private val pins = Pins(TrustedKeys(stories.pins.getValue("releases")), TrustedKeys(stories.pins.getValue("packages")))
    private val first = stories.steps.first()

    private fun standing(shelf: Shelf): List<Any?> = listOf(shelf.number, shelf.current?.release?.version, shelf.former?.release?.version)

    private fun expected(row: JsonArray): List<Any?> = row.map { if (it is JsonNull) null else (it as JsonPrimitive).let { word -> if (word.isString) word.content else word.content.toLong() } }

    private fun store(name: String) = FileShelfStore(File(world.folder, name))

    @Test
    fun `promotions and undos are followed over restarts, and nothing older`() = runBlocking {
        stories.steps.zip(stories.told).forEachIndexed { at, (step, told) ->
            val judges = DeviceJudges(step, pins, store("followed")) // the app was closed and opened in between
            runCatching { judges.follow(ScanType.TEXT) }
            assertEquals(expected(told), standing(store("followed").read(ScanType.TEXT)), "step $at")
            assertEquals(expected(told)[1], DeviceJudges(step, pins, store("followed")).judge(ScanType.TEXT, "Hello, is it you?")?.version)
        }
        assertNull(DeviceJudges(first, pins, store("followed")).judge(ScanType.VOICE, "Hello"))
    }

    @Test
    fun `what was tampered with is refused, and the former judge stays`() = runBlocking {
        val shelf = followed(Shelf(), ScanType.TEXT, first, pins)
        assertTrue(stories.tampered.size >= 14)
        for ((what, step) in stories.tampered) assertThrows<Untrusted>(what) { runBlocking { followed(shelf, ScanType.TEXT, step, pins) } }
        assertSame(shelf, followed(shelf, ScanType.TEXT, first, pins))
        assertEquals(listOf<Any?>(11L, "sms-v2", "sms-v1"), standing(followed(shelf, ScanType.TEXT, stories.good, pins)))
    }

    @Test
    fun `a judge whose bytes on the device are other ones is fetched again`() = runBlocking {
        val folder = File(world.folder, "cut")
        val judges = DeviceJudges(first, pins, FileShelfStore(folder))
        assertTrue(judges.follow(ScanType.TEXT))
        assertFalse(judges.follow(ScanType.TEXT))
        val weights = folder.walk().single { it.name == "device.safetensors" }
        weights.writeBytes(weights.readBytes().copyOf(100))
        val opened = DeviceJudges(first, pins, FileShelfStore(folder))
        assertNull(opened.judge(ScanType.TEXT, "Hello"))
        assertTrue(opened.follow(ScanType.TEXT))
        assertEquals("sms-v1", opened.judge(ScanType.TEXT, "Hello")?.version)
        File(folder, "text/shelf.json").writeText("{")
        assertEquals(0L, FileShelfStore(folder).read(ScanType.TEXT).number)
    }

    @Test
    fun `the judge of a running API is followed and judges without a network`() = runBlocking {
        val keys = raw("GET", "/api/v2/device/keys", world.tokens.getValue("ada")).jsonObject.getValue("data").jsonObject
        fun pinned(name: String) = TrustedKeys(keys.getValue(name).jsonObject.mapValues { it.value.jsonPrimitive.content })
        val judges = DeviceJudges(clientOf("ada"), Pins(pinned("releases"), pinned("packages")), store("api"))
        val failed = mutableListOf<ScanType>()
        val following = judges.keepFollowing(this, listOf(ScanType.VOICE, ScanType.TEXT), 50) { type, _ -> failed += type }
        withTimeout(20_000) { while (judges.version(ScanType.TEXT) == null) delay(20) }
        following.cancel()
        assertEquals(ScanType.VOICE, failed.first(), "no version of that type serves")
        val offline = DeviceJudges(ShieldClient("http://127.0.0.1:9") { null }, Pins(pinned("releases"), pinned("packages")), store("api"))
        assertEquals("sms-v1", offline.judge(ScanType.TEXT, "WINNER!! Claim it now")?.version)
        assertThrows<Unreachable> { runBlocking { offline.follow(ScanType.TEXT) } }
        Unit
    }
}
