package org.antispamshield.client

import java.io.IOException
import java.net.URLEncoder
import java.time.Clock
import java.util.zip.GZIPInputStream
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.encodeToJsonElement
import kotlinx.serialization.json.jsonPrimitive

/**
 * The calls of an app. Every call throws [Unreachable] or a [Problem], and may be cancelled.
 *
 * @param baseUrl Where the API is, e.g. `https://shield.example.org`.
 * @param language Languages for reasons and advice, as in `Accept-Language`: `de-AT, en;q=0.5`.
 * @param token Gives the access token; asked at each call.
 */
public class ShieldClient(
    baseUrl: String,
    private val language: String? = null,
    private val transport: Transport = PlatformTransport(),
    private val clock: Clock = Clock.systemUTC(),
    private val token: suspend () -> String?,
) : ReleaseSource, OutboxSink {
    private val base = baseUrl.trimEnd('/')

    /** Judge one message. Nothing is repeated by itself: a scan that may have happened is not asked for twice. */
    public suspend fun scan(type: ScanType, text: String): Scan = decoded(call("POST", "/scans", json.encodeToJsonElement(ScanBody(type, text))))

    /** Judge a mail as it was received, with its headers (`.eml`). */
    public suspend fun scanMail(mail: String): Scan = decoded(call("POST", "/scans/mail", JsonObject(mapOf("mail" to JsonPrimitive(mail)))))

    /** Which scan types can be judged now. A type that this release does not know is left out. */
    public suspend fun scanTypes(): List<Serving> = (data(call("GET", "/scans/types")) as List<*>).mapNotNull {
        runCatching { json.decodeFromJsonElement<Serving>(it as JsonElement) }.getOrNull()
    }

    /** One's own scans with what became of one's feedback, newest first. */
    public suspend fun scans(limit: Int = 50, cursor: String? = null): Page<Scan> {
        val more = if (cursor == null) "" else "&cursor=${URLEncoder.encode(cursor, "UTF-8")}"
        val document = call("GET", "/scans?limit=$limit$more")
        val next = (document["pagination"] as? JsonObject)?.get("nextCursor") as? JsonPrimitive
        return Page(decoded(document), next?.contentOrNull)
    }

    /**
     * Say what a verdict was worth, now. Apps use an [Outbox] instead, which loses nothing.
     *
     * @param key The `Idempotency-Key`: the same key and body count once, however often they are sent.
     */
    override suspend fun sendFeedback(body: FeedbackBody, key: String) {
        data(call("POST", "/feedback", json.encodeToJsonElement(body), mapOf("Idempotency-Key" to key)))
    }

    /** Who one is. */
    public suspend fun me(): Me = decoded(call("GET", "/users/me"))

    /** Agree, or no longer, that reviewers look at a few random messages of one's own. */
    public suspend fun setAuditConsent(agreed: Boolean): Me = decoded(call("PUT", "/users/me", JsonObject(mapOf("auditConsent" to JsonPrimitive(agreed)))))

    /** Erase one's messages and feedback on the server. Clear the outbox too. */
    public suspend fun eraseMe() {
        call("DELETE", "/users/me")
    }

    /** The release in force for phones. [DeviceJudges] checks it, and follows it. */
    override suspend fun release(type: ScanType): SignedRelease = decoded(call("GET", "/device/${wordOf(type)}/release"))

    /** The known scams for phones, as [DeviceJudges] checks and keeps them. */
    override suspend fun knownScams(type: ScanType): SignedRelease? = try {
        decoded(call("GET", "/device/${wordOf(type)}/known"))
    } catch (_: NotFound) {
        null // an older server
    }

    /** One file of a released package, as [DeviceJudges] fetches and checks it. */
    override suspend fun file(type: ScanType, digest: String, name: String): ByteArray {
        val answer = sent("GET", "$base/api/v2/device/${wordOf(type)}/files/$digest/$name", null, signedIn() + ("Accept-Encoding" to "gzip"))
        if (answer.status != 200) documentOf(answer, clock.instant())
        if (answer.status != 200 || "octet-stream" !in answer.headers["content-type"].orEmpty()) throw Unreachable("Something else answered in the server's place.")
        return if (answer.headers["content-encoding"] == "gzip") GZIPInputStream(answer.body.inputStream()).use { it.readBytes() } else answer.body
    }

    /** Report a verdict of the device, now: the server judges the message again, and keeps it as a scan. Apps use an [Outbox] instead. */
    override suspend fun sendDeviceReport(report: DeviceReport, key: String): DeviceReported =
        decoded(call("POST", "/device/reports", json.encodeToJsonElement(report), mapOf("Idempotency-Key" to key)))

    /** Count what was judged on the device, without texts; the tally's key makes it count once. Apps use [Outbox.count] instead. */
    override suspend fun sendCounts(tally: Tally) {
        val (harmless, scam, unsure) = tally.counts
        val body = json.encodeToJsonElement(CountsBody(tally.version, harmless, scam, unsure))
        data(call("POST", "/device/${wordOf(tally.type)}/counts", body, mapOf("Idempotency-Key" to tally.key)))
    }

    /** Turn a pairing code (`shieldctl token pair`) into a token. The code is used up by it. */
    public suspend fun pair(code: String): String {
        val document = exchange("POST", "$base/app/pair", JsonObject(mapOf("code" to JsonPrimitive(code.trim()))), emptyMap())
        return (document["token"] as? JsonPrimitive)?.contentOrNull ?: throw Unreachable("The server's answer cannot be read.")
    }

    private suspend fun call(method: String, path: String, body: JsonElement? = null, headers: Map<String, String> = emptyMap()): JsonObject {
        return exchange(method, "$base/api/v2$path", body, headers + signedIn())
    }

    private suspend fun signedIn(): Map<String, String> {
        val bearer = token()
        return buildMap {
            if (bearer != null) put("Authorization", "Bearer $bearer")
            if (language != null) put("Accept-Language", language)
        }
    }

    private fun wordOf(type: ScanType) = json.encodeToJsonElement(type).jsonPrimitive.content

    private suspend fun exchange(method: String, url: String, body: JsonElement?, headers: Map<String, String>): JsonObject =
        documentOf(sent(method, url, body, headers + ("Accept" to "application/json")), clock.instant())

    private suspend fun sent(method: String, url: String, body: JsonElement?, headers: Map<String, String>): HttpAnswer {
        val kind = if (body == null) emptyMap() else mapOf("Content-Type" to "application/json")
        val request = HttpRequest(method, url, headers + kind, body?.toString()?.encodeToByteArray())
        return try {
            runInterruptible(Dispatchers.IO) { transport.send(request) }
        } catch (error: IOException) {
            throw Unreachable("No connection to the server.", error)
        }
    }

    private fun data(document: JsonObject): JsonElement =
        document["data"]?.takeIf { it !is JsonNull } ?: throw Unreachable("The server's answer cannot be read.")

    private inline fun <reified T> decoded(document: JsonObject): T = try {
        json.decodeFromJsonElement(data(document))
    } catch (error: IllegalArgumentException) {
        throw Unreachable("The server's answer cannot be read: ${error.message}", error)
    }
}

@Serializable
private data class CountsBody(val version: String, val harmless: Int, val scam: Int, val unsure: Int)

@Serializable
private data class ScanBody(val scanType: ScanType, val text: String)
