package org.antispamshield.client

import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.PublicKey
import java.security.Signature
import java.security.spec.X509EncodedKeySpec
import java.util.Base64
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException

/** What was fetched is not what was signed, or was signed by nobody who counts. What one has stays. */
public class Untrusted(message: String, cause: Throwable? = null) : ShieldException(message, cause)

/** The public keys whose signatures count, pinned at build: base64 of their 32 bytes by key id. */
public class TrustedKeys(private val keys: Map<String, String>) {
    /** Throw [Untrusted] unless the key [id] is trusted and its [signature] (base64) over [message] holds. */
    public fun check(id: String, signature: String, message: ByteArray, what: String) {
        val key = keys[id] ?: throw Untrusted("The $what is signed by $id, whom this app does not know.")
        val holds = try {
            Signature.getInstance("Ed25519").run {
                initVerify(publicKey(key))
                update(message)
                verify(Base64.getDecoder().decode(signature))
            }
        } catch (_: GeneralSecurityException) {
            false // no key, or no signature: neither holds
        } catch (_: IllegalArgumentException) {
            false
        }
        if (!holds) throw Untrusted("The signature of the $what does not hold.")
    }

    private fun publicKey(base64: String): PublicKey {
        val raw = Base64.getDecoder().decode(base64)
        return KeyFactory.getInstance("Ed25519").generatePublic(X509EncodedKeySpec(PREFIX + raw))
    }

    private companion object {
        /** Of the 32 bytes in SubjectPublicKeyInfo (RFC 8410, section 4). */
        val PREFIX: ByteArray = byteArrayOf(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)
    }
}

/** `manifest.sig` of a package. */
@Serializable
private data class PackageSignature(val keyId: String, val signature: String, val purpose: String = "release")

/** What of a package's `manifest.json` a phone reads. */
@Serializable
private data class PackageManifest(val modelType: String, val files: Map<String, String>)

/** A package whose manifest is signed by somebody who counts: only its [files] may be opened. */
public class CheckedPackage internal constructor(
    /** The model type that the package is for, e.g. `sms`. */
    public val modelType: String,
    private val files: Map<String, String>,
) {
    /** Return the bytes of a file of the package as they are, or throw [Untrusted]: every byte is covered by the signature. */
    public fun checked(name: String, bytes: ByteArray): ByteArray {
        checkDigest(bytes, files[name] ?: throw Untrusted("The package has no $name."), name)
        return bytes
    }
}

/**
 * Check a package's manifest.
 *
 * @param manifest The bytes of `manifest.json`, as they are.
 * @param signature The content of `manifest.sig`.
 * @param digest SHA-256 of the manifest that the version is known by, where the caller knows it: `sha256:...`.
 */
public fun checkPackage(manifest: ByteArray, signature: String, keys: TrustedKeys, digest: String? = null): CheckedPackage {
    if (digest != null) checkDigest(manifest, digest.removePrefix("sha256:"), "manifest.json")
    try {
        val said = json.decodeFromString<PackageSignature>(signature)
        if (said.purpose != "release") throw Untrusted("The package is signed for the record alone.")
        keys.check(said.keyId, said.signature, manifest, "package")
        val read = json.decodeFromString<PackageManifest>(manifest.decodeToString())
        return CheckedPackage(read.modelType, read.files)
    } catch (error: SerializationException) {
        throw Untrusted("The package's manifest or signature cannot be read.", error)
    }
}

private fun checkDigest(bytes: ByteArray, expected: String, name: String) {
    val found = sha256(bytes)
    if (found != expected) throw Untrusted("$name hashes to ${found.take(12)}, and ${expected.take(12)} is signed.")
}
