package org.antispamshield.client

import java.io.File
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement

/** What tests/integration/clients/test_kotlin.py has set up: a running API, a signed package, and what all clients share. */
@Serializable
data class World(
    val url: String,
    val tokens: Map<String, String>,
    val reviewer: String,
    val labels: Map<String, List<String>>,
    val rules: List<JsonArray>,
    val stubborn: String,
    val stubbornRounds: List<List<Double?>>,
    val `package`: String,
    val record: String,
    val keys: Map<String, String>,
    val vectors: String,
    val releases: String,
    val known: String,
    val folder: String,
)

val world: World = Json.decodeFromString(File(System.getProperty("shield.world")).readText())

fun clientOf(user: String, language: String? = null) = ShieldClient(world.url, language) { world.tokens.getValue(user) }

/** A call that this library has no method for. */
fun raw(method: String, path: String, token: String, body: String? = null): JsonElement {
    val headers = mapOf("Authorization" to "Bearer $token", "Content-Type" to "application/json")
    val answer = PlatformTransport().send(HttpRequest(method, world.url + path, headers, body?.encodeToByteArray()))
    return Json.parseToJsonElement(answer.body.decodeToString())
}
