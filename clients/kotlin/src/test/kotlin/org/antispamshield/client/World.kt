package org.antispamshield.client

import java.io.File
import java.util.Base64
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.antispamshield.client.judge.Judge

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
    val full: String,
    val fullRounds: List<List<Double?>>,
    val mixed: String,
    val mixedRounds: List<List<Double?>>,
    val counting: Counting,
    val `package`: String,
    val record: String,
    val keys: Map<String, String>,
    val vectors: String,
    val releases: String,
    val known: String,
    val reasons: String,
    val folder: String,
)

/** Answers, the draws that make counts of them, and those counts: the same in all clients. */
@Serializable
data class Counting(val answers: List<List<String>>, val draws: List<Double>, val tallies: List<JsonArray>)

val world: World = Json.decodeFromString(File(System.getProperty("shield.world")).readText())

fun clientOf(user: String, language: String? = null) = ShieldClient(world.url, language) { world.tokens.getValue(user) }

/** The judge of the world's package. */
fun judgeOfWorld(): Judge {
    val folder = File(world.`package`)
    val keys = TrustedKeys(world.keys.mapValues { (_, hex) -> Base64.getEncoder().encodeToString(hex.chunked(2).map { it.toInt(16).toByte() }.toByteArray()) })
    return Judge.open(checkPackage(File(folder, "manifest.json").readBytes(), File(folder, "manifest.sig").readText(), keys)) { File(folder, it).readBytes() }
}

/** Judges of ada that follow the running API, kept in a folder of that name. */
fun judgesOfWorld(name: String): DeviceJudges {
    val keys = (raw("GET", "/api/v2/device/keys", world.tokens.getValue("ada")) as JsonObject).getValue("data") as JsonObject
    fun pinned(whose: String) = TrustedKeys(Json.decodeFromString<Map<String, String>>(keys.getValue(whose).toString()))
    return DeviceJudges(clientOf("ada"), Pins(pinned("releases"), pinned("packages")), FileShelfStore(File(world.folder, name)))
}

/** A call that this library has no method for. */
fun raw(method: String, path: String, token: String, body: String? = null): JsonElement {
    val headers = mapOf("Authorization" to "Bearer $token", "Content-Type" to "application/json")
    val answer = PlatformTransport().send(HttpRequest(method, world.url + path, headers, body?.encodeToByteArray()))
    return Json.parseToJsonElement(answer.body.decodeToString())
}
