package org.antispamshield.client.judge

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonPrimitive

/**
 * What Unicode says of characters, by the tables that came with the judge (`characters.json`). Nothing here asks the
 * platform's own Unicode: phones differ in it, and a model must read what it has learned to read.
 */
internal class Characters(tables: JsonObject) {
    private val flags = ShortArray(0x110000)
    private val classes = HashMap<Int, Int>()
    private val pairs = HashMap<Long, Int>()
    private val decompositions = mapped(tables.numbers("decompositions"))
    private val lower = mapped(tables.numbers("lower"))
    private val drawn = mapped(tables.numbers("drawn"))
    private val lookAlikes = mapped(tables.numbers("lookAlikes"))
    val topLevelNames: Set<String> = (tables["topLevelNames"] as JsonArray).mapTo(HashSet()) { it.jsonPrimitive.content }

    init {
        PROPERTIES.forEach { (name, flag) -> mark(tables.numbers(name), flag) }
        val ranks = tables.numbers("combining")
        var point = 0
        for (at in ranks.indices step 2) {
            point += ranks[at]
            classes[point] = ranks[at + 1]
        }
        val composed = tables.numbers("compositions")
        for (at in composed.indices step 3) pairs[pair(composed[at], composed[at + 1])] = composed[at + 2]
    }

    private fun mark(ranges: IntArray, flag: Int) {
        var end = 0
        for (at in ranges.indices step 2) {
            val start = end + ranges[at]
            end = start + ranges[at + 1]
            for (point in start until end) flags[point] = (flags[point].toInt() or flag).toShort()
        }
    }

    private fun has(point: Int, flag: Int) = flags[point].toInt() and flag != 0

    fun isAlphanumeric(point: Int) = has(point, ALPHANUMERIC)
    fun isAlphabetic(point: Int) = has(point, ALPHABETIC)
    fun isDecimal(point: Int) = has(point, DECIMAL)
    fun isLowercase(point: Int) = has(point, LOWERCASE)
    fun isUppercase(point: Int) = has(point, UPPERCASE)
    fun isTitlecase(point: Int) = has(point, TITLECASE)
    fun isCased(point: Int) = has(point, CASED)
    fun isCaseIgnorable(point: Int) = has(point, CASE_IGNORABLE)
    fun isSpace(point: Int) = has(point, SPACE)
    fun isInvisible(point: Int) = has(point, INVISIBLE)
    fun isBlank(point: Int) = has(point, BLANK)
    fun isFigure(point: Int) = has(point, FIGURE)
    fun isOverlay(point: Int) = has(point, OVERLAY)

    /** The canonical combining class; 0: a base. */
    fun rank(point: Int): Int = classes[point] ?: 0

    /** What two characters compose to, or null. */
    fun composed(first: Int, second: Int): Int? = pairs[pair(first, second)]

    fun decomposed(point: Int): IntArray? = decompositions[point]
    fun lowered(point: Int): IntArray? = lower[point]

    /** Letters for drawn letters, words for emoji that are words. */
    fun drawnAs(point: Int): IntArray? = drawn[point]
    fun looksLike(point: Int): Int = lookAlikes[point]?.firstOrNull() ?: point

    private companion object {
        const val ALPHANUMERIC = 1
        const val ALPHABETIC = 2
        const val DECIMAL = 4
        const val LOWERCASE = 8
        const val UPPERCASE = 16
        const val TITLECASE = 32
        const val CASED = 64
        const val CASE_IGNORABLE = 128
        const val SPACE = 256
        const val INVISIBLE = 512
        const val BLANK = 1024
        const val FIGURE = 2048
        const val OVERLAY = 4096
        val PROPERTIES = mapOf(
            "alphanumeric" to ALPHANUMERIC, "alphabetic" to ALPHABETIC, "decimal" to DECIMAL, "lowercase" to LOWERCASE,
            "uppercase" to UPPERCASE, "titlecase" to TITLECASE, "cased" to CASED, "caseIgnorable" to CASE_IGNORABLE,
            "space" to SPACE, "invisible" to INVISIBLE, "blanks" to BLANK, "figures" to FIGURE, "overlays" to OVERLAY,
        )

        fun pair(first: Int, second: Int): Long = first.toLong() shl 21 or second.toLong()

        fun JsonObject.numbers(name: String): IntArray =
            (this[name] as? JsonArray ?: throw IllegalArgumentException("characters.json has no $name")).map { it.jsonPrimitive.int }.toIntArray()

        fun mapped(flat: IntArray): Map<Int, IntArray> = buildMap {
            var at = 0
            var point = 0
            while (at < flat.size) {
                point += flat[at]
                val length = flat[at + 1]
                put(point, flat.copyOfRange(at + 2, at + 2 + length))
                at += 2 + length
            }
        }
    }
}

/** Code points that are added to; what a text is while it is read. */
internal class Points(capacity: Int = 16) {
    private var values = IntArray(maxOf(1, capacity))
    var size: Int = 0
        private set

    operator fun get(at: Int): Int = values[at]
    operator fun set(at: Int, point: Int) {
        values[at] = point
    }

    fun add(point: Int) {
        if (size == values.size) values = values.copyOf(2 * size)
        values[size++] = point
    }

    fun addAll(points: IntArray): Unit = points.forEach(::add)
    fun toArray(): IntArray = values.copyOf(size)
}

/** The code points of a string; a half of a character stands for itself. */
internal fun points(text: String): IntArray = text.codePoints().toArray()

internal fun isAscii(text: IntArray): Boolean = text.all { it < 0x80 }
