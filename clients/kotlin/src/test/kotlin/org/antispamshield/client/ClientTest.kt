package org.antispamshield.client

import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class ClientTest {
    @Test
    fun `a scan is explained in the language that was asked for`() = runBlocking {
        val scan = clientOf("ben", "de-AT").scan(ScanType.TEXT, "You win! Royal Mail: pay the fee today https://royalmail-fee.example/x")
        assertEquals(Standing.SCAM, scan.standing)
        assertTrue(scan.reasons.any { it.sentence.contains("Sie") }, scan.reasons.toString())
        assertTrue(scan.advice!!.whatToDoNow.isNotEmpty())
        assertNull(scan.said)
    }

    @Test
    fun `what became of feedback is read back`() = runBlocking {
        val client = clientOf("ben")
        val scan = client.scan(ScanType.TEXT, "Reply now to win a boat")
        client.sendFeedback(scan.feedback(scam = false), "key-${scan.id}")
        client.sendFeedback(scan.feedback(scam = false), "key-${scan.id}")
        val first = client.scans(limit = 1)
        assertEquals(scan.id, first.items.single().id)
        assertEquals(false, first.items.single().said)
        assertEquals("pending", first.items.single().feedback!!.status)
        assertTrue(client.scans(limit = 1, cursor = first.nextCursor).items.none { it.id == scan.id })
        assertTrue(Serving(ScanType.TEXT, true) in client.scanTypes())
    }

    @Test
    fun `problems are errors of their own`(): Unit = runBlocking {
        val client = clientOf("ben")
        val scan = client.scan(ScanType.TEXT, "Lunch at twelve?")
        val wrong = FeedbackBody(scan.id, FeedbackType.FALSE_POSITIVE, "ham")
        assertEquals("contradictory-feedback", assertThrows<Invalid> { runBlocking { client.sendFeedback(wrong, "a") } }.slug)
        assertThrows<NotFound> { runBlocking { clientOf("eve").sendFeedback(scan.feedback(true), "b") } }
        assertThrows<Unauthenticated> { runBlocking { ShieldClient(world.url) { "x" }.me() } }
        assertThrows<Unreachable> { runBlocking { ShieldClient("http://127.0.0.1:9") { null }.me() } }
        assertEquals(413, assertThrows<Problem> { runBlocking { client.scan(ScanType.TEXT, "x".repeat(2_000_000)) } }.status)
    }

    @Test
    fun `a pairing code is turned into a token once`() = runBlocking {
        val code = raw("POST", "/api/v2/users/me/pairing", world.reviewer).jsonObject.getValue("data").jsonObject.getValue("code").jsonPrimitive.content
        val token = clientOf("ben").pair(" $code ")
        assertEquals("rita", ShieldClient(world.url) { token }.me().subject)
        assertThrows<Problem> { runBlocking { clientOf("ben").pair(code) } }
        Unit
    }

    @Test
    fun `consent is given, and a person is erased`() = runBlocking {
        val client = clientOf("eve")
        client.scan(ScanType.TEXT, "Something of mine")
        assertTrue(client.setAuditConsent(true).auditConsent)
        client.eraseMe()
        assertTrue(client.scans().items.isEmpty())
    }
}
