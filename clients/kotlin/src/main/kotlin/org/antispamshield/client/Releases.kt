package org.antispamshield.client

import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import org.antispamshield.client.judge.Judge
import org.antispamshield.client.judge.KnownScams

/** The public keys that come with the app: who says which version is in force, and who may make one (`GET /api/v2/device/keys`). */
public class Pins(public val releases: TrustedKeys, public val packages: TrustedKeys)

/** Which version judges on phones now, as the API says it. Its [number] rises with every change, an undo included. */
@Serializable
public data class Release(
    val format: String,
    val scanType: ScanType,
    val modelType: String,
    val number: Long,
    val version: String,
    /** `sha256:` digest of the package's manifest. */
    val `package`: String,
    /** Whether the version brings a judge; where it does not, the server is asked. */
    val judge: Boolean,
)

/** `GET /device/{scanType}/release`, and `/known` without a package: nothing of it counts before its signatures hold. */
@Serializable
public data class SignedRelease(
    /** JSON of a [Release], or of [KnownScams], the exact text that is signed. */
    val statement: String,
    val keyId: String,
    val signature: String,
    val packageSignature: String? = null,
)

/** Where releases come from: [ShieldClient], or an app's own transport. */
public interface ReleaseSource {
    /** The release in force, signed. */
    public suspend fun release(type: ScanType): SignedRelease

    /** The known scams, signed; null: this server has no such list. */
    public suspend fun knownScams(type: ScanType): SignedRelease? = null

    /** One file of a released package; [digest] is that of the package, in hexadecimal. */
    public suspend fun file(type: ScanType, digest: String, name: String): ByteArray
}

/** A judge as it is kept: the bytes that were checked, by the names of [Judge.FILES]. */
public class KeptJudge(public val release: Release, public val files: Map<String, ByteArray>) {
    /**
     * The judge itself.
     *
     * @throws IllegalArgumentException This release of the library cannot compute it.
     */
    public fun opened(): Judge {
        val judge = Judge.open(release.modelType, files)
        require(judge.margin("Hello, is it you?").isFinite()) { "The judge gives no number." }
        return judge
    }
}

/** What a phone remembers of one scan type. */
public class Shelf(
    /** The highest number that was ever believed; an older one never is again. */
    public val number: Long = 0,
    public val current: KeptJudge? = null,
    /** The one before, so that an undo needs no download. */
    public val former: KeptJudge? = null,
)

/**
 * Look up the release in force; return what the phone should keep from now on, the same object where nothing has changed.
 *
 * Everything is checked before anything changes: whatever this throws, what is kept stays good.
 *
 * @throws Untrusted A signature, a digest or the number does not hold.
 * @throws IllegalArgumentException This release of the library cannot compute the version's judge.
 */
public suspend fun followed(shelf: Shelf, type: ScanType, source: ReleaseSource, pins: Pins): Shelf {
    val signed = source.release(type)
    val release = trustedRelease(signed, type, pins)
    if (release.number < shelf.number) throw Untrusted("The release has the number ${release.number}, and ${shelf.number} was in force already.")
    if (release.number == shelf.number) {
        val current = shelf.current
        if (current != null && current.release.`package` != release.`package`) throw Untrusted("Two releases have the number ${release.number}.")
        if (current != null || !release.judge) return shelf
    }
    if (!release.judge) return Shelf(release.number, null, shelf.current ?: shelf.former)
    val here = listOfNotNull(shelf.current, shelf.former).firstOrNull { it.release.`package` == release.`package` }
    val next = if (here != null) KeptJudge(release, here.files) else fetched(signed, release, type, source, pins)
    next.opened()
    val former = shelf.current?.takeIf { it.release.`package` != release.`package` } ?: shelf.former
    return Shelf(release.number, next, former?.takeIf { it !== here })
}

/**
 * Check the list of known scams that [signed] is; return the one to keep: it, unless the one that is [here] is newer.
 *
 * @throws Untrusted Its signature does not hold, or it is another list.
 */
public fun followedKnown(here: KnownScams?, signed: SignedRelease, type: ScanType, pins: Pins): KnownScams {
    pins.releases.check(signed.keyId, signed.signature, (KNOWN_CONTEXT + signed.statement).encodeToByteArray(), "list of known scams")
    val known = try {
        json.decodeFromString<KnownScams>(signed.statement)
    } catch (error: SerializationException) {
        throw Untrusted("The list of known scams cannot be read.", error)
    }
    if (known.format != KNOWN_FORMAT) throw Untrusted("The list of known scams has the format ${known.format}.")
    if (known.scanType != type) throw Untrusted("The list of known scams is for ${known.scanType}, not for $type.")
    return if (here != null && here.number >= known.number) here else known
}

private const val KNOWN_FORMAT = "shield-known-1"
private const val KNOWN_CONTEXT = "antispam-shield: known scams for phones\n"
private const val FORMAT = "shield-release-1"

/** Stands before the signed bytes, so that no other signature of the API's key holds for a release. */
private const val CONTEXT = "antispam-shield: release for phones\n"

private fun trustedRelease(signed: SignedRelease, type: ScanType, pins: Pins): Release {
    pins.releases.check(signed.keyId, signed.signature, (CONTEXT + signed.statement).encodeToByteArray(), "release")
    val release = try {
        json.decodeFromString<Release>(signed.statement)
    } catch (error: SerializationException) {
        throw Untrusted("The release cannot be read.", error)
    }
    if (release.format != FORMAT) throw Untrusted("The release has the format ${release.format}.")
    if (release.scanType != type) throw Untrusted("The release is for ${release.scanType}, not for $type.")
    return release
}

private suspend fun fetched(signed: SignedRelease, release: Release, type: ScanType, source: ReleaseSource, pins: Pins): KeptJudge {
    val digest = release.`package`.removePrefix("sha256:")
    val signature = signed.packageSignature ?: throw Untrusted("The package is not signed.")
    val checked = checkPackage(source.file(type, digest, "manifest.json"), signature, pins.packages, release.`package`)
    if (checked.modelType != release.modelType) throw Untrusted("The package is for ${checked.modelType} messages.")
    return KeptJudge(release, Judge.FILES.associateWith { checked.checked(it, source.file(type, digest, it)) })
}
