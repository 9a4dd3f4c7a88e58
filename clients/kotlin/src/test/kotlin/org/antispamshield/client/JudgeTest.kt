package org.antispamshield.client

import java.io.File
import java.util.Base64
import kotlin.math.abs
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.antispamshield.client.judge.Judge
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

@Serializable
private data class Vector(val text: String, val margin: Double, val label: String, val certainty: String)

class JudgeTest {
    private val folder = File(world.`package`)
    private val manifest = File(folder, "manifest.json").readBytes()
    private val signature = File(folder, "manifest.sig").readText()
    private val keys = TrustedKeys(world.keys.mapValues { (_, hex) -> Base64.getEncoder().encodeToString(hex.chunked(2).map { it.toInt(16).toByte() }.toByteArray()) })

    private fun read(name: String) = File(folder, name).readBytes()

    @Test
    fun `every text has the margin that Python gives it`() {
        val judge = Judge.open(checkPackage(manifest, signature, keys), ::read)
        val vectors = Json.decodeFromString<List<Vector>>(File(world.vectors).readText())
        assertTrue(vectors.size >= 500)
        for (vector in vectors) {
            val said = judge.judge(vector.text)
            val shown = "${vector.text.map { "\\u%04x".format(it.code) }.joinToString("")}: ${said.margin}, not ${vector.margin}"
            assertTrue(abs(said.margin - vector.margin) < 1e-6, shown)
            assertEquals(vector.label, said.label, shown)
            assertEquals(vector.certainty == "unsure", said.standing == Standing.UNSURE, shown)
        }
    }

    @Test
    fun `one other bit in any file, the manifest or the signature is refused`() {
        val checked = checkPackage(manifest, signature, keys)
        for (name in Judge.FILES) {
            for (at in listOf(0, read(name).size / 2, read(name).size - 1)) {
                assertThrows<Untrusted>("$name at $at") { Judge.open(checked) { if (it == name) read(it).flipped(at) else read(it) } }
            }
            assertThrows<Untrusted>(name) { Judge.open(checked) { if (it == name) read(it).copyOf(20) else read(it) } }
        }
        for (at in manifest.indices step 97) assertThrows<Untrusted>("$at") { checkPackage(manifest.flipped(at), signature, keys) }
        assertThrows<Untrusted> { checkPackage(manifest, "", keys) }
        assertThrows<Untrusted> { checkPackage(manifest, signature.replace("\"signature\": \"", "\"signature\": \"AAAA"), keys) }
        assertThrows<Untrusted> { checkPackage(manifest, signature, keys, "sha256:" + "0".repeat(64)) }
    }

    @Test
    fun `a key that is not pinned, and a signature for the record, count for nothing`() {
        assertThrows<Untrusted> { checkPackage(manifest, signature, TrustedKeys(emptyMap())) }
        val id = world.keys.keys.single()
        val other = Base64.getEncoder().encodeToString(ByteArray(32) { 7 })
        assertThrows<Untrusted> { checkPackage(manifest, signature, TrustedKeys(mapOf(id to other))) }
        assertThrows<Untrusted> { checkPackage(manifest, signature, TrustedKeys(mapOf(id to "not base64!"))) }
        assertThrows<Untrusted> { checkPackage(manifest, File(world.record).readText(), keys) }
        // Said to be for a release, the signature for the record does not hold.
        assertThrows<Untrusted> { checkPackage(manifest, File(world.record).readText().replace("\"record\"", "\"release\""), keys) }
    }

    private fun ByteArray.flipped(at: Int) = copyOf().also { it[at] = (it[at].toInt() xor 1).toByte() }
}
