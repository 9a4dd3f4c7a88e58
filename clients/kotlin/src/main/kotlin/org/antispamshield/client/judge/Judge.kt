package org.antispamshield.client.judge

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.sqrt
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.antispamshield.client.CheckedPackage
import org.antispamshield.client.ScanType
import org.antispamshield.client.Standing

/** `device.json`, as `shield/device/package.py` writes it. */
@Serializable
internal data class DeviceManifest(
    val format: String,
    val modelType: String,
    val labels: List<String>,
    val normaliser: String,
    val shortest: Int,
    val longest: Int,
    val words: Int,
    val bits: Int,
    /** As in [Features], and the log odds that a window costs; left out in the first format. */
    val reach: Int = 0,
    val whole: Int = 0,
    val windowCost: Double = 0.0,
    val steps: List<Double>,
    val logOddsBias: Double,
    val scale: Double,
    val bias: Double,
    val sureHarmless: Double,
    val sureScam: Double,
)

/** What the judge on the device says of a text. */
public data class Judgement(
    val label: String,
    val isScam: Boolean,
    /** The three answers that people are given. */
    val standing: Standing,
    /** From 0.5, "it could be either", to 1. */
    val confidence: Double,
    /** Flagged from 0 on. */
    val margin: Double,
)

/** A text to a verdict on the device; no text leaves it. May be shared between threads. */
public class Judge internal constructor(private val manifest: DeviceManifest, weights: ByteArray, private val characters: Characters) {
    private val reader: Reader
    private val normalise: (IntArray) -> IntArray

    init {
        val normaliser = NORMALISERS[manifest.normaliser]
        require(manifest.format in FORMATS && normaliser != null) { "This release cannot compute ${manifest.format} with ${manifest.normaliser}." }
        val blocks = if (manifest.words > 0) 2 else 1
        require(weights.size == blocks shl manifest.bits && manifest.steps.size == blocks) { "The judge has ${weights.size} weights for ${manifest.bits} bits." }
        normalise = normaliser(characters)
        reader = Reader(Features(manifest.shortest, manifest.longest, manifest.bits, manifest.words, manifest.reach, manifest.whole), weights, characters)
    }

    public fun margin(text: String): Double {
        val read = points(text)
        if (!hasWords(read, characters)) return NO_WORDS
        val readings = reader.readings(normalise(read))
        val windows = readings.windows.map { logOdds(it) - manifest.windowCost }
        val highest = (listOfNotNull(readings.whole?.let(::logOdds)) + windows).max()
        return manifest.scale * highest + manifest.bias
    }

    private fun logOdds(text: IntArray): Double {
        var logOdds = manifest.logOddsBias
        reader.sums(text).forEachIndexed { block, sum ->
            if (sum.count > 0) logOdds += manifest.steps[block] * sum.total / sqrt(sum.count.toDouble())
        }
        return logOdds
    }

    /** The known scam that a text is a copy of, or null. It answers before the judge does. */
    public fun known(scams: KnownScams, text: String): KnownMatch? = KnownMatcher(characters).matched(scams, text)

    private val reasons by lazy { Reasons(characters) }

    /** Why a text was judged so, without a network. [flagged]: a scam was said; [sure]: with certainty. The server tells more: of tactics, and of links. */
    public fun explain(text: String, type: ScanType, flagged: Boolean, sure: Boolean, reader: ReasonReader): Why = reasons.explain(text, type, flagged, sure, reader)

    public fun judge(text: String): Judgement {
        val margin = margin(text)
        val scam = margin >= 0
        val unsure = margin in -manifest.sureHarmless..manifest.sureScam || abs(margin) <= -2 * NO_WORDS
        val standing = if (unsure) Standing.UNSURE else if (scam) Standing.SCAM else Standing.HARMLESS
        return Judgement(manifest.labels[if (scam) 1 else 0], scam, standing, 1 / (1 + exp(-abs(margin))), margin)
    }

    public companion object {
        /** The first reads every text as a whole. */
        private val FORMATS = setOf("shield-device-1", "shield-device-2")

        /** The margin of a text in which no letter and no digit is seen. */
        private const val NO_WORDS = -1e-6
        private val json = Json { ignoreUnknownKeys = true }

        /** The files of a package that make a judge. */
        public val FILES: List<String> = listOf("device.json", "device.safetensors", "characters.json")

        /**
         * The judge of a package whose signature was checked; [read] gives the bytes of a file, whose digests are checked here.
         *
         * @throws org.antispamshield.client.Untrusted A file is not what was signed.
         * @throws IllegalArgumentException This release cannot compute it: keep the judge you have.
         */
        public fun open(from: CheckedPackage, read: (String) -> ByteArray): Judge {
            return open(from.modelType, FILES.associateWith { from.checked(it, read(it)) })
        }

        /** The judge of files whose digests were checked, by their names. */
        internal fun open(modelType: String, files: Map<String, ByteArray>): Judge {
            val (device, weights, characters) = FILES.map { files[it] ?: throw IllegalArgumentException("There is no $it.") }
            val manifest = json.decodeFromString<DeviceManifest>(device.decodeToString())
            require(manifest.modelType == modelType) { "The package is for $modelType messages, its judge for ${manifest.modelType}." }
            return Judge(manifest, tensor(weights), Characters(json.parseToJsonElement(characters.decodeToString()).jsonObject))
        }

        /** The one tensor of a safetensors file. */
        private fun tensor(file: ByteArray): ByteArray {
            require(file.size >= 8) { "No weights." }
            val length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).long
            require(length in 2..file.size - 8L) { "No weights." }
            val start = 8 + length.toInt()
            val header = json.parseToJsonElement(file.decodeToString(8, start)) as JsonObject
            val weights = header.getValue("weights").jsonObject
            require(weights.getValue("dtype").jsonPrimitive.content == "I8") { "Weights of another kind." }
            val (from, until) = (weights.getValue("data_offsets") as JsonArray).map { it.jsonPrimitive.int }
            require(from in 0..until && start + until <= file.size) { "The weights are cut off." }
            return file.copyOfRange(start + from, start + until)
        }
    }
}
