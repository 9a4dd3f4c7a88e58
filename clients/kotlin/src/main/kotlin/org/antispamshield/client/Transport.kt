package org.antispamshield.client

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URI
import java.time.Instant
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeParseException
import kotlin.math.ceil
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull

/** One HTTP request. */
public class HttpRequest(public val method: String, public val url: String, public val headers: Map<String, String>, public val body: ByteArray?)

/** One HTTP answer; names of headers are in lower case. */
public class HttpAnswer(public val status: Int, public val headers: Map<String, String>, public val body: ByteArray)

/** How requests travel. The default needs nothing but the platform; an app with OkHttp gives its own. */
public fun interface Transport {
    /** Send a request and wait for the answer. Redirects are answers too: the API never redirects. */
    @Throws(IOException::class)
    public fun send(request: HttpRequest): HttpAnswer
}

/** `HttpURLConnection`, which the JVM and Android have alike. */
public class PlatformTransport(private val timeoutMilliseconds: Int = 20_000) : Transport {
    override fun send(request: HttpRequest): HttpAnswer {
        val connection = URI(request.url).toURL().openConnection() as HttpURLConnection
        try {
            connection.requestMethod = request.method
            connection.instanceFollowRedirects = false // whoever redirects is not the API, and gets no token
            connection.connectTimeout = timeoutMilliseconds
            connection.readTimeout = timeoutMilliseconds
            connection.useCaches = false
            request.headers.forEach(connection::setRequestProperty)
            request.body?.let {
                connection.doOutput = true
                connection.setFixedLengthStreamingMode(it.size)
                connection.outputStream.use { stream -> stream.write(it) }
            }
            val status = connection.responseCode
            val headers = connection.headerFields.filterKeys { it != null }.entries.associate { (name, values) -> name.lowercase() to values.last() }
            val stream = if (status >= 400) connection.errorStream else connection.inputStream
            return HttpAnswer(status, headers, stream?.use { it.readBytes() } ?: ByteArray(0))
        } finally {
            connection.disconnect()
        }
    }
}

internal val json: Json = Json { ignoreUnknownKeys = true; explicitNulls = false }

/** Read `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). Null where there is none that makes sense. */
public fun retryAfterSeconds(header: String?, now: Instant): Long? {
    val said = header?.trim().orEmpty()
    said.toDoubleOrNull()?.let { return if (it.isFinite() && it >= 0) ceil(it).toLong() else null }
    return try {
        val until = ZonedDateTime.parse(said, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()
        ceil((until.toEpochMilli() - now.toEpochMilli()) / 1000.0).toLong().takeIf { it >= 0 }
    } catch (_: DateTimeParseException) {
        null
    }
}

/**
 * Return the document of a success; throw what any other answer means.
 *
 * A success that is no JSON is none: a hotel's sign-in page answers 200 to everything, and feedback that was "sent" to it
 * would be lost.
 */
internal fun documentOf(answer: HttpAnswer, now: Instant): JsonObject {
    val isJson = Regex("\\bjson\\b").containsMatchIn(answer.headers["content-type"].orEmpty())
    val document = if (isJson) runCatching { json.parseToJsonElement(answer.body.decodeToString()) as? JsonObject }.getOrNull() else null
    if (answer.status in 200..299 && document != null) return document
    if (answer.status < 400) throw Unreachable("Something else answered in the server's place, perhaps a network that asks you to sign in first.")
    throw problemOf(answer, document ?: JsonObject(emptyMap()), now)
}

private fun problemOf(answer: HttpAnswer, document: JsonObject, now: Instant): Problem {
    fun word(name: String) = (document[name] as? JsonPrimitive)?.contentOrNull?.takeIf { it.isNotEmpty() }
    val message = word("message") ?: word("detail") ?: word("title") ?: "The server answered ${answer.status}."
    val slug = word("type")?.substringAfterLast("/problems/").orEmpty()
    val wait = retryAfterSeconds(answer.headers["retry-after"], now)
    return when (val status = answer.status) {
        401 -> Unauthenticated(message, slug, document)
        404 -> NotFound(message, slug, document)
        409 -> Conflict(message, slug, document)
        422 -> Invalid(message, slug, document)
        429 -> RateLimited(message, slug, wait, document)
        else -> if (status >= 500) Unavailable(message, status, slug, wait, document) else Problem(message, status, slug, wait, document)
    }
}
