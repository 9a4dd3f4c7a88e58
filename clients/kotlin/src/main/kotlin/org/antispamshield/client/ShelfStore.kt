package org.antispamshield.client

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.security.MessageDigest
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import org.antispamshield.client.judge.Judge
import org.antispamshield.client.judge.KnownScams

/** Where judges are kept between two starts of the app. They are nobody's: they stay when a person signs out. */
public interface ShelfStore {
    /** What is kept of a scan type; an empty [Shelf] where nothing is, or nothing that can be read. */
    public fun read(type: ScanType): Shelf

    /** Keep this from now on, whole or not at all. */
    public fun write(type: ScanType, shelf: Shelf)

    /** The known scams of a type; null: none were kept. */
    public fun readKnown(type: ScanType): KnownScams?

    /** Keep these from now on. */
    public fun writeKnown(type: ScanType, known: KnownScams)
}

/**
 * Judges in files below [folder]: `text/shelf.json`, and a folder for each package. The list is written last and renamed into its place, so a phone
 * that dies meanwhile keeps the former one; a judge whose bytes are not those that were written is not read, and is fetched again.
 */
public class FileShelfStore(private val folder: File) : ShelfStore {
    override fun read(type: ScanType): Shelf = try {
        val kept = json.decodeFromString<Index>(File(place(type), LIST).readText())
        Shelf(kept.number, kept.current?.let { judge(type, it) }, kept.former?.let { judge(type, it) })
    } catch (_: IOException) {
        Shelf()
    } catch (_: SerializationException) {
        Shelf()
    }

    override fun write(type: ScanType, shelf: Shelf) {
        val kept = listOfNotNull(shelf.current, shelf.former)
        for (each in kept) {
            val home = File(place(type), nameOf(each.release)).apply { mkdirs() }
            for ((name, bytes) in each.files) replace(File(home, name), bytes)
        }
        place(type).mkdirs()
        val list = Index(shelf.number, shelf.current?.let(::row), shelf.former?.let(::row))
        replace(File(place(type), LIST), json.encodeToString(Index.serializer(), list).encodeToByteArray())
        val used = kept.map { nameOf(it.release) }
        place(type).listFiles { file -> file.isDirectory && file.name !in used }?.forEach(File::deleteRecursively)
    }

    override fun readKnown(type: ScanType): KnownScams? = try {
        json.decodeFromString<KnownScams>(File(place(type), KNOWN).readText())
    } catch (_: IOException) {
        null
    } catch (_: SerializationException) {
        null
    }

    override fun writeKnown(type: ScanType, known: KnownScams) {
        place(type).mkdirs()
        replace(File(place(type), KNOWN), json.encodeToString(KnownScams.serializer(), known).encodeToByteArray())
    }

    private fun judge(type: ScanType, row: Row): KeptJudge? = try {
        val home = File(place(type), nameOf(row.release))
        val files = Judge.FILES.associateWith { File(home, it).readBytes() }
        KeptJudge(row.release, files).takeIf { files.mapValues { (_, bytes) -> sha256(bytes) } == row.digests }
    } catch (_: IOException) {
        null
    }

    private fun place(type: ScanType) = File(folder, type.name.lowercase())

    private fun nameOf(release: Release) = release.`package`.removePrefix("sha256:")

    private fun row(kept: KeptJudge) = Row(kept.release, kept.files.mapValues { (_, bytes) -> sha256(bytes) })

    private fun replace(file: File, bytes: ByteArray) {
        val part = File(file.parentFile, "${file.name}.part")
        part.writeBytes(bytes)
        Files.move(part.toPath(), file.toPath(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE)
    }

    @Serializable
    private class Row(val release: Release, val digests: Map<String, String>)

    @Serializable
    private class Index(val number: Long, val current: Row?, val former: Row?)

    private companion object {
        const val LIST = "shelf.json"
        const val KNOWN = "known.json"
    }
}

internal fun sha256(bytes: ByteArray): String = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
