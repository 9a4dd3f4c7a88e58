package org.antispamshield.client

import java.time.Instant
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class RulesTest {
    @Test
    fun `each answer has the rule that all clients share`() {
        for (row in world.rules) {
            val (status, header, does, held, seconds) = row.map { if (it is JsonNull) null else it.jsonPrimitive }
            val wait = retryAfterSeconds(header?.contentOrNull, Instant.EPOCH)
            val error = status?.intOrNull?.let { Problem("why", it, "", wait) } ?: Unreachable("away")
            val expected = when (does?.content) {
                "sign-in" -> Rule.SignIn
                "refused" -> Rule.Refused("why")
                else -> Rule.Wait(seconds!!.doubleOrNull!!, Held.valueOf(held!!.content.uppercase()))
            }
            assertEquals(expected, ruleFor(error, 3) { 0.0 }, "status $status, Retry-After $header")
        }
    }

    @Test
    fun `pauses double up to five minutes and spread`() {
        val tries = listOf(1, 2, 5, 9, 10, 2000)
        assertEquals(listOf(1.0, 2.0, 16.0, 256.0, 300.0, 300.0), tries.map { pauseSeconds(it) { 1.0 } })
        assertEquals(listOf(0.5, 1.0, 8.0, 128.0, 150.0, 150.0), tries.map { pauseSeconds(it) { 0.0 } })
    }

    @Test
    fun `labels are those of the API`() {
        assertEquals(world.labels, ScanType.entries.associate { it.name.lowercase() to listOf(it.harmless, it.scam) })
    }
}
