package org.antispamshield.client.judge

import java.util.zip.CRC32

/** Which n-grams are counted; see `shield/linear.py`. */
internal class Features(
    val shortest: Int,
    val longest: Int,
    val bits: Int,
    val words: Int,
    /** Characters of a window; 0: every text is read as a whole, and only so. */
    val reach: Int,
    /** A text that is longer than this and than a window is read in windows alone. */
    val whole: Int,
)

/** What is read of a text: all of it, unless it is too long, and windows, unless it is short. */
internal class Readings(val whole: IntArray?, val windows: List<IntArray>)

/** What the weights of the buckets that occur in a text add up to, each bucket once, and how many those are. */
internal class Sum(val total: Long, val count: Int)

/** Hashed n-grams of characters and of words, as `shield/linear.py` makes them. */
internal class Reader(private val features: Features, private val weights: ByteArray, private val characters: Characters) {
    /** What is read of a normalised text; windows overlap by half, the last is flush with the end. */
    fun readings(normalised: IntArray): Readings {
        val text = if (normalised.size <= MOST_CHARACTERS) normalised
        else normalised.copyOf(MOST_CHARACTERS / 2) + normalised.copyOfRange(normalised.size - MOST_CHARACTERS / 2, normalised.size)
        val size = features.reach
        if (size == 0 || text.size <= size) return Readings(text, emptyList())
        val last = text.size - size
        val windows = ((0 until last step maxOf(1, size / 2)) + last).map { text.copyOfRange(it, it + size) }
        return Readings(text.takeIf { it.size <= features.whole }, windows)
    }

    /** Sums over the buckets of the characters, then of the words, of what is read. */
    fun sums(text: IntArray): List<Sum> {
        val folded = lower(text, characters)
        val signs = Tally(0)
        hashes(framed(folded), features.shortest, features.longest, 1, signs)
        if (!folded.contentEquals(text)) hashes(framed(text), features.shortest, features.longest, 2, signs)
        if (features.words == 0) return listOf(signs.sum())
        val spelled = Tally(1 shl features.bits)
        hashes(wordNumbers(folded), 1, features.words, 3, spelled)
        return listOf(signs.sum(), spelled.sum())
    }

    private inner class Tally(private val offset: Int) {
        private val seen = java.util.BitSet(1 shl features.bits)
        private var total = 0L
        private var count = 0

        fun add(bucket: Int) {
            if (seen.get(bucket)) return
            seen.set(bucket)
            total += weights[offset + bucket]
            count++
        }

        fun sum() = Sum(total, count)
    }

    private fun framed(text: IntArray): LongArray {
        val out = LongArray(text.size + 2) { 0x20 }
        text.forEachIndexed { at, point -> out[at + 1] = point.toLong() }
        return out
    }

    /** Add the bucket of every run of [shortest] to [longest] neighbours. Arithmetic modulo 2^64, as `Long` has it. */
    private fun hashes(numbers: LongArray, shortest: Int, longest: Int, seed: Long, tally: Tally) {
        val rolling = LongArray(numbers.size) { seed }
        for (n in 1..minOf(longest, numbers.size)) {
            for (at in 0..numbers.size - n) {
                rolling[at] = rolling[at] * FACTOR + numbers[at + n - 1] + n
                if (n < shortest) continue
                val mixed = (rolling[at] xor (rolling[at] ushr 29)) * MIXER
                tally.add((mixed ushr (64 - features.bits)).toInt())
            }
        }
    }

    /** A number for each word and each mark between words, in order; a word's digits count as one digit. */
    private fun wordNumbers(folded: IntArray): LongArray {
        val numbers = ArrayList<Long>()
        val crc = CRC32()
        var inWord = false
        fun end() {
            if (inWord) numbers.add(crc.value)
            crc.reset()
            inWord = false
        }
        for (sign in folded) {
            val point = if (characters.isDecimal(sign)) '0'.code else sign
            if (point == '_'.code || characters.isAlphanumeric(point)) {
                crc.update(utf8(point))
                inWord = true
            } else {
                end()
                if (!characters.isSpace(point)) numbers.add(CRC32().apply { update(utf8(point)) }.value)
            }
        }
        end()
        return numbers.toLongArray()
    }

    private companion object {
        /** Of longer texts, the ends are read. */
        const val MOST_CHARACTERS = 20_000
        const val FACTOR = -0x61c8864680b583ebL // 0x9e3779b97f4a7c15
        const val MIXER = -0x40a7b892e31b1a47L // 0xbf58476d1ce4e5b9
    }
}

internal fun utf8(point: Int): ByteArray = when {
    point in 0xd800..0xdfff -> byteArrayOf(0x3f) // half a character has no UTF-8: a question mark, as in Python
    else -> String(Character.toChars(point)).encodeToByteArray()
}
