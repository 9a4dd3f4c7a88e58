package org.antispamshield.client.judge

import java.util.zip.CRC32
import kotlinx.serialization.Serializable
import org.antispamshield.client.ScanType

/** A scam that reviewers have decided; no message can be read from it. */
@Serializable
public data class KnownScam(
    /** 16 numbers of 32 bits. */
    val sketch: List<Long>,
    /** Of the hosts that were decided on; empty: it had none. */
    val hosts: List<Long>,
    /** With another host it is a reason to hesitate. */
    val anyHost: Boolean,
    /** How many people had reported it. */
    val reporters: Int,
    /** The day of the decision, e.g. `2026-03-03`. */
    val decidedOn: String,
)

/** The scams that reviewers have decided, as the API signs them: `GET /device/{scanType}/known`. */
@Serializable
public data class KnownScams(
    val format: String,
    val scanType: ScanType,
    /** Rises; whoever has seen a higher one keeps that. */
    val number: Long,
    /** Not believed after this moment (ISO 8601). */
    val until: String,
    val normaliser: String,
    val salt: Long,
    val entries: List<KnownScam>,
)

/** A message that is a known scam, or has its words with another link. */
public data class KnownMatch(val scam: KnownScam, /** Its hosts are those of the scam, too. */ val confirmed: Boolean)

/** Finds copies of known scams, as `judge/known.ts` does. */
internal class KnownMatcher(private val characters: Characters) {
    fun matched(known: KnownScams, text: String): KnownMatch? {
        val normalise = NORMALISERS[known.normaliser]?.invoke(characters) ?: return null
        val read = points(text)
        val folded = lower(normalise(read.copyOf(minOf(read.size, LONGEST))), characters)
        val salt = known.salt.toInt()
        val sketch = sketchOf(folded, salt) ?: return null
        val close = known.entries.filter { entry -> entry.sketch.indices.count { entry.sketch[it] == sketch[it] } >= AGREE }
        if (close.isEmpty()) return null
        val told = Links.names(text.take(2 * LONGEST).lowercase()).ifEmpty { Links.names(String(folded, 0, folded.size)) }
        val hosts = told.map { names -> names.map { hostNumber(it, salt) } }
        close.firstOrNull { same(it.hosts, hosts) }?.let { return KnownMatch(it, confirmed = true) }
        return close.firstOrNull { it.anyHost }?.let { KnownMatch(it, confirmed = false) }
    }

    /** The sketch of a normalised text in small letters; null: too few words. */
    private fun sketchOf(folded: IntArray, salt: Int): List<Long>? {
        val words = wordsOf(folded)
        if (words.size < FEWEST) return null
        val grams = HashSet<Int>()
        val rolling = IntArray(words.size)
        for (n in 1..NGRAM) {
            for (at in 0..words.size - n) {
                rolling[at] = mixed(rolling[at] xor words[at + n - 1])
                grams.add(rolling[at])
            }
        }
        return List(BANDS) { band ->
            var hash = 0
            for (row in 0 until ROWS) {
                val seed = mixed(((band * ROWS + row + 1) * STEP) xor salt)
                hash = mixed(hash xor grams.minOf { mixed(it xor seed).toUInt() }.toInt())
            }
            hash.toLong() and 0xffffffffL
        }
    }

    /** A number for each word; digits count as one digit, and words of digits alone and addresses not at all. */
    private fun wordsOf(folded: IntArray): List<Int> {
        val words = ArrayList<Int>()
        val crc = CRC32()
        var letters = false
        fun end() {
            if (letters) words.add(crc.value.toInt())
            crc.reset()
            letters = false
        }
        var start = 0
        for (at in 0..folded.size) {
            if (at < folded.size && folded[at] != ' '.code) continue
            if (!ADDRESS.containsMatchIn(String(folded, start, at - start))) {
                for (place in start until at) {
                    val point = if (characters.isDecimal(folded[place])) '0'.code else folded[place]
                    if (point == '_'.code || characters.isAlphanumeric(point)) {
                        crc.update(utf8(point))
                        letters = letters || point != '0'.code
                    } else {
                        end()
                    }
                }
                end()
            }
            start = at + 1
        }
        return words
    }

    private companion object {
        const val BANDS = 16
        const val ROWS = 3
        const val AGREE = 4
        const val FEWEST = 5
        const val LONGEST = 5_000
        const val NGRAM = 2
        const val STEP = -0x61c88647 // 0x9e3779b9
        val ADDRESS = Regex("://|@|^www\\.|\\..*/", RegexOption.DOT_MATCHES_ALL)

        fun same(decided: List<Long>, hosts: List<List<Long>>): Boolean =
            hosts.all { names -> names.any { it in decided } } && decided.all { one -> hosts.any { one in it } }

        fun hostNumber(host: String, salt: Int): Long =
            mixed(CRC32().apply { update(host.encodeToByteArray()) }.value.toInt() xor salt).toLong() and 0xffffffffL

        fun mixed(number: Int): Int {
            var x = (number xor (number ushr 16)) * 0x7feb352d
            x = (x xor (x ushr 15)) * -0x7b935975 // 0x846ca68b
            return x xor (x ushr 16)
        }
    }
}
