package org.antispamshield.client

import java.io.File
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.antispamshield.client.judge.KnownMatch
import org.antispamshield.client.judge.KnownScam
import org.antispamshield.client.judge.ReasonReader
import org.antispamshield.client.judge.Why
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

@Serializable
private data class Said(val scanType: ScanType, val flagged: Boolean, val sure: Boolean)

@Serializable
private data class Reading(val language: String, val country: String)

@Serializable
private data class Told(val reasons: List<Reason>, val advice: Advice)

@Serializable
private data class Round(val said: Said, val reader: Reading, val texts: List<String>, val told: List<Told>)

class ReasonsTest {
    @Test
    fun `every text is explained as the phone's own code explains it`() {
        val judge = judgeOfWorld()
        val rounds = Json.decodeFromString<List<Round>>(File(world.reasons).readText())
        val kinds = HashSet<String>()
        for ((said, reader, texts, told) in rounds) {
            for ((text, expected) in texts.zip(told)) {
                val why = judge.explain(text, said.scanType, said.flagged, said.sure, ReasonReader(reader.language, reader.country))
                assertEquals(Why(expected.reasons, expected.advice), why, text)
                why.reasons.mapTo(kinds) { it.kind }
            }
        }
        assertEquals(setOf("request", "link", "disguise", "pressure", "whole", "calm"), kinds)
    }

    @Test
    fun `what reviewers have decided is not explained by what the filter makes of it`() = runBlocking {
        val text = "Pay the fee today"
        val judges = judgesOfWorld("reasons")
        judges.follow(ScanType.TEXT)
        val said = judges.judge(ScanType.TEXT, text)!!
        val reader = ReasonReader("de", "GB")
        assertTrue(judges.explain(ScanType.TEXT, text, said, reader)!!.advice.whatToDoNow.isNotEmpty())
        val scam = KnownScam(emptyList(), emptyList(), true, 3, "2026-03-03")
        val known = said.copy(known = KnownMatch(scam, confirmed = true))
        val why = judges.explain(ScanType.TEXT, text, known, reader)!!
        assertTrue(why.reasons.none { it.kind == "whole" })
        assertEquals("asks-for-money", why.reasons.first().id)
        assertTrue(why.advice.whoToTell!!.isNotEmpty())
    }
}
