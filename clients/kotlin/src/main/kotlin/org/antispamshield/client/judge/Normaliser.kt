package org.antispamshield.client.judge

/**
 * The normaliser `scam-text-v3` of `shield/text.py`, step for step. A normaliser never changes once released, so neither does
 * this: a new one gets a class of its own and a line in [NORMALISERS].
 */
internal class ScamTextV3(private val characters: Characters) {
    fun normalised(text: IntArray): IntArray {
        var read = seenAs(joined(text))
        // Each step may make work for another: dots go, and the letters between them stand apart.
        while (true) {
            val plainer = spread(joined(read))
            if (plainer.contentEquals(read)) return withoutRepeatedMarks(read)
            read = seenAs(plainer)
        }
    }

    /** What a person sees: without invisible characters, blanks of any kind as a space. */
    private fun seen(text: IntArray): IntArray = collected(text.size) { out ->
        for (point in text) if (characters.isBlank(point)) out.add(SPACE) else if (!characters.isInvisible(point)) out.add(point)
    }

    private fun letters(text: IntArray): IntArray = collected(text.size) { out ->
        for (point in text) {
            val drawn = characters.drawnAs(point)
            if (drawn != null) out.addAll(drawn) else out.add(if (characters.isBlank(point)) SPACE else point)
        }
    }

    private fun seenAs(text: IntArray): IntArray {
        if (isAscii(text)) return joinWords(split(seen(text)))
        val marked = split(text).map { word -> if (isOdd(word)) word + MARK else word }
        val first = nfkc(seen(letters(joinWords(marked))), characters)
        val plain = nfkc(withoutOverlays(seen(first)), characters)
        return joinWords(split(plain).map(::foldWord))
    }

    /** Whether a word is disguised in a way that folding removes. */
    private fun isOdd(word: IntArray): Boolean {
        if (isAscii(word)) return false
        val plain = letters(word)
        return isDisguised(word) || struck(plain) > 1 || hidesInWord(plain)
    }

    private fun isDisguised(word: IntArray): Boolean {
        var longest = 0
        var run = 0
        for (point in word) {
            run = if (point in 0x1f1e6..0x1f1ff) run + 1 else 0
            longest = maxOf(longest, run)
        }
        return (longest > 2 && longest % 2 == 1) || word.count(characters::isFigure) > 1
    }

    /** How often strokes or frames go through a letter or digit. */
    private fun struck(text: IntArray): Int = (1 until text.size).count { characters.isOverlay(text[it]) && isPlain(text[it - 1]) }

    private fun withoutOverlays(text: IntArray): IntArray = collected(text.size) { out ->
        var drops = false
        for (point in text) {
            drops = characters.isOverlay(point) && (drops || (out.size > 0 && isPlain(out[out.size - 1])))
            if (!drops) out.add(point)
        }
    }

    private fun hidesInWord(text: IntArray): Boolean {
        for (at in 0 until text.size - 2) {
            if (!isLatin(text[at]) || text[at + 1] == SOFT_HYPHEN) continue
            var end = at + 1
            while (end < text.size && characters.isInvisible(text[end])) end++
            if (end > at + 1 && end < text.size && isLatin(text[end])) return true
        }
        return false
    }

    private fun foldWord(word: IntArray): IntArray {
        if (isAscii(word)) return word
        if (lower(word, characters).none { it in 0x61..0x7a }) return word
        val plain = IntArray(word.size) { characters.looksLike(word[it]) }
        return if (plain.contentEquals(word)) word else plain + MARK
    }

    /** Join words whose letters stand apart, and mark those that are no initials. */
    private fun joined(text: IntArray): IntArray {
        var end = 0
        val out = Points(text.size)
        for (match in APART.findAll(classesOf(text))) {
            val word = text.copyOfRange(match.range.first, match.range.last + 1)
            for (at in end until match.range.first) out.add(text[at])
            for (point in word) if (point !in BETWEEN) out.add(point)
            if (!isInitials(word)) out.addAll(MARK)
            end = match.range.last + 1
        }
        if (end == 0) return text
        for (at in end until text.size) out.add(text[at])
        return out.toArray()
    }

    /** One ASCII sign for each character: so that a pattern needs no Unicode. */
    private fun classesOf(text: IntArray): String = buildString(text.size) {
        for (point in text) {
            if (characters.isAlphanumeric(point)) append(if (characters.isDecimal(point)) 'd' else 'a')
            else append(if (point in BETWEEN) point.toChar() else 'x')
        }
    }

    private fun isInitials(word: IntArray) = '.'.code in word && isUpper(word) && word.size <= LONGEST_INITIALS

    private fun isUpper(text: IntArray) =
        text.none { characters.isLowercase(it) || characters.isTitlecase(it) } && text.any(characters::isUppercase)

    private fun isLower(text: IntArray) =
        text.none { characters.isUppercase(it) || characters.isTitlecase(it) } && text.any(characters::isLowercase)

    /** Part words that dots stand between; hosts stay whole. */
    private fun spread(text: IntArray): IntArray {
        var run = 0
        val long = text.any { point ->
            run = if (characters.isSpace(point)) 0 else run + 1
            run >= SHORTEST
        }
        if (!long) return text
        return joinWords(split(text).map { if (it.size >= SHORTEST) wordsOf(it) else it })
    }

    private fun wordsOf(token: IntArray): IntArray {
        var start = 0
        var end = token.size
        while (start < end && token[start] in DOTS) start++
        while (end > start && token[end - 1] in DOTS) end--
        val core = token.copyOfRange(start, end)
        val words = mutableListOf(Points())
        core.forEachIndexed { at, point ->
            if (point !in DOTS) words.last().add(point) else if (core[at - 1] !in DOTS) words.add(Points())
        }
        val found = words.map(Points::toArray)
        val spelled = found.count { word -> word.size > 1 && word.all(characters::isAlphabetic) }
        if (found.size < MANY || spelled < MANY - 2 || isPlace(token)) return token
        val last = found.last()
        var length = last.size
        while (length > 0 && last[length - 1] in ENDING) length--
        if (isLower(core) && (length == 2 || String(last, 0, length) in characters.topLevelNames)) return token
        return joinWords(found)
    }

    private fun isPlace(token: IntArray) =
        token.any { it in PLACE } || (token.size >= 4 && token[3] == '.'.code && (0..2).all { token[it] == 'w'.code || token[it] == 'W'.code })

    private fun withoutRepeatedMarks(text: IntArray): IntArray = collected(text.size) { out ->
        var at = 0
        while (at < text.size) {
            var end = at
            while (end + 1 < text.size && text[end] == MARK[0] && text[end + 1] == MARK[1]) end += 2
            // A last mark that something is written onto is not one.
            if (end > at && end < text.size && text[end] != SPACE) end -= 2
            if (end > at) {
                out.addAll(MARK)
                at = end
            } else {
                out.add(text[at++])
            }
        }
    }

    /** `str.split()`: at white space of any kind and length. */
    private fun split(text: IntArray): List<IntArray> {
        val words = ArrayList<IntArray>()
        var start = -1
        for (at in 0..text.size) {
            val inside = at < text.size && !characters.isSpace(text[at])
            if (inside && start < 0) start = at
            if (!inside && start >= 0) {
                words.add(text.copyOfRange(start, at))
                start = -1
            }
        }
        return words
    }

    private fun joinWords(words: List<IntArray>): IntArray = collected(words.sumOf { it.size + 1 }) { out ->
        words.forEachIndexed { at, word ->
            if (at > 0) out.add(SPACE)
            out.addAll(word)
        }
    }

    private companion object {
        const val SPACE = 0x20
        const val SOFT_HYPHEN = 0xad

        /** Stands behind a word that was disguised. */
        val MARK = intArrayOf(SPACE, 0x2021)

        /** A word whose letters stand apart, in the classes of [classesOf]: a letter, d decimal digit. */
        val APART = Regex("""(?<![ad])(?<![ad][._*~-])a(?:([._*~-])[ad](?:\1[ad])+|(?: [ad]){3,})(?![ad])(?![._*~-][ad])""")
        val BETWEEN = signs(" ._*~-")
        val DOTS = signs("._*~\u00b7\u2022|-")
        val PLACE = signs("/@\\")
        val ENDING = signs("!?,;:")
        const val LONGEST_INITIALS = 7

        /** Five words and the dots between them are nine characters at least. */
        const val SHORTEST = 9
        const val MANY = 5

        fun signs(text: String): Set<Int> = text.mapTo(HashSet()) { it.code }

        fun isLatin(point: Int) = point in 0x41..0x5a || point in 0x61..0x7a
        fun isPlain(point: Int) = isLatin(point) || point in 0x30..0x39

        inline fun collected(capacity: Int, fill: (Points) -> Unit): IntArray = Points(capacity).also(fill).toArray()
    }
}

/** Whether a letter or a digit is seen, or a sign that is drawn as one. */
internal fun hasWords(text: IntArray, characters: Characters): Boolean = text.any {
    !characters.isInvisible(it) && !characters.isBlank(it) && (characters.isAlphanumeric(it) || characters.isFigure(it))
}

/** The normalisers that this release can compute, by name. */
internal val NORMALISERS: Map<String, (Characters) -> (IntArray) -> IntArray> = mapOf(
    "scam-text-v3" to { characters -> ScamTextV3(characters)::normalised },
)
